/** Keys whose values `transformers` 5 declares as floats alone: it refuses a whole number there. */
const FLOATS = /^( *"\w+(?:_eps|_range|_factor|_theta)": -?\d+)(,?)$/gm;

/** The text of a config.json, in which JavaScript's whole numbers are floats where Python wants them so: 2 as 2.0. */
export function configText(config: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(config, null, 2)}\n`.replace(FLOATS, '$1.0$2');
}
