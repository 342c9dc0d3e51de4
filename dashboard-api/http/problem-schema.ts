import Type, { type TProperties } from "typebox";

const strict = <P extends TProperties>(fields: P) => Type.Object(fields, { additionalProperties: false });

/** The problem document (RFC 9457) as it is answered and as it stands inside other answers. */
export const ProblemSchema = strict({
  type: Type.String({ description: "/problems/<slug>, served as a page" }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String(),
  commandId: Type.Optional(Type.String()),
  remedy: Type.String({ description: "what to do next" }),
  errors: Type.Array(strict({ pointer: Type.String(), detail: Type.String() })),
});
