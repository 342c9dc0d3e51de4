const problem = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
});
const summary = "The last frames of a link as a pcapng file that Wireshark opens";

/** The capture as an OpenAPI path: a read that the controller answers, since the bridge keeps the frames. */
export const CAPTURE_PATHS: Readonly<Record<string, { readonly get: object }>> = {
  "/v1/links/{link}/capture": {
    get: {
      operationId: "getLinksLinkCapture",
      summary,
      tags: ["reads"],
      parameters: [{ name: "link", in: "path", required: true, schema: { type: "string" } }],
      responses: {
        200: {
          description: summary,
          content: { "application/x-pcapng": { schema: { type: "string", format: "binary" } } },
        },
        404: problem("not-found"),
        429: problem("rate-limited, queue-full"),
        503: problem("service-unavailable"),
      },
    },
  },
};
