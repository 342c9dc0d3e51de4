import type { FoundUnit, ScanProgress } from "@servofleet/firmware-bridge/scan/scan-line";
import { settingWords } from "@servofleet/firmware-bridge/scan/scan-plan";
import type { Output } from "./output.ts";

const BAR_CELLS = 24;
const CLEAR_LINE = "\r\u001b[K";

/** What a person sees while a scan runs: a bar where somebody looks at it, plain lines where somebody reads them later. */
export interface ScanShow {
  progress(progress: ScanProgress): void;
  found(found: FoundUnit): void;
  /** Takes the bar away. */
  end(): void;
}

/** `terminal`: the stream is one; then one line is drawn over and over. */
export function scanShow(out: Output, stream: NodeJS.WritableStream, terminal: boolean): ScanShow {
  let count = 0;
  let told = "";
  const draw = ({ setting, unit, asked, total }: ScanProgress) => {
    const cells = Math.floor((asked / total) * BAR_CELLS);
    const bar = "#".repeat(cells).padEnd(BAR_CELLS, ".");
    stream.write(`${CLEAR_LINE}[${bar}] ${asked}/${total}  ${settingWords(setting)}  unit ${unit}  found ${count}`);
  };
  const clear = () => void (terminal && stream.write(CLEAR_LINE));
  return {
    progress(progress) {
      const setting = settingWords(progress.setting);
      if (terminal) draw(progress);
      else if (setting !== told) out.note(`asking at ${setting} (${progress.asked} of ${progress.total})`);
      told = setting;
    },
    found(one) {
      count++;
      clear();
      out.note(`unit ${one.unit} answers at ${settingWords(one.setting)}: ${unitWords(one)}`);
    },
    end: clear,
  };
}

/** What a unit is, for a person. */
export function unitWords({ matches, model, device }: FoundUnit): string {
  const names = matches.map(({ profile, certain }) => (certain ? profile : `${profile}?`)).join(" or ");
  const said = device ? [device.vendor, device.product, device.revision].filter(Boolean).join(" ") : "";
  const parts = [names || "no profile fits", model === null ? "" : `model ${model}`, said];
  return parts.filter(Boolean).join(", ");
}
