/** What a config.json says of rotary angles, as transformers 5 writes it. */
export interface RotaryParameters {
  readonly rope_type?: string;
  /** Its older name. */
  readonly type?: string;
  readonly rope_theta?: number;
}

/** How angles are scaled; `default` is not at all. */
export const rotaryType = (rope: RotaryParameters | null | undefined): string =>
  rope?.rope_type ?? rope?.type ?? 'default';
