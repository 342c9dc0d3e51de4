/**
 * What a register of the paced line holds in the answer to the `number`-th request to that unit (0 to 65535): bound to all
 * three, so that a late answer, a shifted one or one of another unit shows. The same formula as in `paced-line.c`. Pure.
 */
export const registerValue = (unit: number, address: number, number: number): number =>
  (unit * 4099 + address * 257 + number * 31) & 0xffff;
