import { withCrc } from "../sim/modbus-crc.ts";
import { openPtyLine } from "../sim/pty.ts";
import { readAnswer } from "./read-answer.ts";

const READ_REQUEST_BYTES = 8;

/** A slave on a pty that answers reads at once, without bit times: what is left is the master's own cost. */
export function modbusRtuServer() {
  return {
    open(path: string) {
      let pending = Buffer.alloc(0);
      const line = openPtyLine(path, (bytes) => {
        pending = Buffer.concat([pending, bytes]);
        while (pending.length >= READ_REQUEST_BYTES) {
          const body = Buffer.concat([pending.subarray(0, 1), readAnswer(pending.subarray(1, 6))]);
          line.write(withCrc(body));
          pending = pending.subarray(READ_REQUEST_BYTES);
        }
      });
    },
  };
}
