/** What a validated answer says. */
export type CodecReply =
  | { readonly type: "registers"; readonly registers: readonly number[] }
  | { readonly type: "written" }
  | { readonly type: "exception"; readonly exceptionCode: number };
