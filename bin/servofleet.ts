// Every process of a box begins here: first what decides how libraries are loaded, then everything else.

import { useOneFileLibraries } from "./one-file-libraries.ts";

useOneFileLibraries();
await import("./main.ts");
