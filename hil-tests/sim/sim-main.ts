import { runSimProcess } from "./sim-process.ts";

await runSimProcess(process.argv[2] ?? "LINKS.yaml");
