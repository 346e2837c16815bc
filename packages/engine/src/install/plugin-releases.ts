/** A wheel of a plugin, by what pip is asked for and what the file must be. */
export interface PinnedWheel {
  readonly requirement: string;
  readonly sha256: string;
}

/** A PJRT plugin whose wheels are known. */
export interface PluginRelease {
  readonly package: string;
  readonly version: string;
  readonly device: 'cuda' | 'cpu';
  /** The plugin's library among what is unpacked. */
  readonly plugin: string;
  readonly platforms: readonly string[];
  readonly pythonVersion: string;
  readonly wheels: readonly PinnedWheel[];
  /** About what is needed on disk while it installs. */
  readonly bytes: number;
}

const linux = [28, 27, 26, 25, 24, 17, 12].map((version) => `manylinux_2_${version}_x86_64`);
const base = {
  platforms: [...linux, 'manylinux2014_x86_64', 'manylinux2010_x86_64'],
  pythonVersion: '3.12',
} as const;

/** A CPU plugin for tests alone, out of a package for molecular dynamics. */
export const testRelease: PluginRelease = {
  ...base,
  package: 'lammps-jax-pjrt-cpu',
  version: '0.11.2',
  device: 'cpu',
  plugin: 'lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so',
  wheels: [
    {
      requirement: 'lammps-jax-pjrt-cpu==0.11.2',
      sha256: '1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1',
    },
  ],
  bytes: 4e8,
};

/** XLA's plugin for NVIDIA GPUs with the libraries it needs, which JAX's wheels of the same version ask for. */
const cuda: Readonly<Record<string, PluginRelease>> = {};

/** The release for a platform, for the driver that is there; undefined if there is none. */
export const cudaRelease = (platform: string): PluginRelease | undefined => cuda[platform];
