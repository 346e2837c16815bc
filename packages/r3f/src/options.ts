/** What R3F is configured by. */
export interface R3FOptions {
  /** lambda: weight of the term; 0 is off. Default 1. */
  readonly weight?: number;
  /** s: half width of uniform noise, deviation of normal noise. Default 1e-5. */
  readonly scale?: number;
  /** Default `uniform`. */
  readonly noise?: 'uniform' | 'normal';
  /** Which passes get other plugins' hidden noise. Default `noised`, as the HyPe paper stacks the two. */
  readonly hype?: 'noised' | 'both' | 'main';
  /** Dropout draws of the noised pass: its own (default) or the main pass's. */
  readonly dropout?: 'independent' | 'shared';
  /** Whether the noised pass sends a gradient to the token table. Default `detached`: it does not. */
  readonly table?: 'detached' | 'attached';
  /** R4F: divide the head's weight by its spectral norm. Default false. */
  readonly spectralNorm?: boolean;
}
