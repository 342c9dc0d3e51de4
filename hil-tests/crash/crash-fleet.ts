const AXES = 8;

/** One line with enough axes for motion on all sides; its bridge is scripted. */
export const CRASH_FLEET = `
box: crash_box
links:
  - { id: line_a, kind: modbus-rtu, port: /dev/null, baud: 115200 }
axes:
${Array.from(
  { length: AXES },
  (_, n) =>
    `  - { id: x${n}, link: line_a, unit: ${n + 1}, profile: test, countsPerUnit: 100, limits: { min: 0, max: 800, velocity: 500, acceleration: 5000 } }`,
).join("\n")}
`;
