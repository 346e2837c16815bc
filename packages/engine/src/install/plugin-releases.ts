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

/**
 * XLA's plugin for NVIDIA GPUs with the libraries it needs, those that JAX's wheels of the same version ask for; the newest CUDA
 * first, each with the oldest driver that takes it.
 */
const cuda: readonly (PluginRelease & { readonly driver: number })[] = [
  {
    ...base,
    package: 'jax-cuda13-pjrt',
    version: '0.10.2',
    device: 'cuda',
    driver: 580,
    plugin: 'jax_plugins/xla_cuda13/xla_cuda_plugin.so',
    wheels: [
      {
        requirement: 'jax-cuda13-pjrt==0.10.2',
        sha256: 'a97e9cabe0e21d8dbcc70bd909ca1c34cd546d3ce2d94b4cd907a8d4f6179f6a',
      },
      {
        requirement: 'nvidia-cublas==13.10.0.20',
        sha256: 'dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84',
      },
      {
        requirement: 'nvidia-cuda-cupti==13.5.25',
        sha256: '9dcca41c12a734192b14e7128ae116bc9ce1b9da686e2ebf48ae7a4415f76650',
      },
      {
        requirement: 'nvidia-cuda-nvcc==13.5.37',
        sha256: 'f5c4f7ead5d964fb4af42bbf1e6d3ec3c1e6e9d83b53749f691d387e7fcaa3a7',
      },
      {
        requirement: 'nvidia-cuda-nvrtc==13.5.37',
        sha256: '86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc',
      },
      {
        requirement: 'nvidia-cuda-runtime==13.5.37',
        sha256: 'df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d',
      },
      {
        requirement: 'nvidia-cudnn-cu13==9.28.1.4',
        sha256: 'a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec',
      },
      {
        requirement: 'nvidia-cufft==12.5.0.14',
        sha256: 'b8be26837a5abad2b5b74f3e92dd29f622a42934b355be0961a48712cbba23ad',
      },
      {
        requirement: 'nvidia-cusolver==12.4.1.2',
        sha256: 'b3b8e02fd2f2df869369af075dc3a179d43f6f7b85e94632a7dce556697be044',
      },
      {
        requirement: 'nvidia-cusparse==12.9.4.2',
        sha256: '072667e58c851a318738f5527a12eb225cbf058803f2ea451c722d8cf8edddec',
      },
      {
        requirement: 'nvidia-nccl-cu13==2.32.3',
        sha256: '1459723080ac889d73a26edfa3e04383a7928ab31ac8f0ec43b3ea9548b04ff3',
      },
      {
        requirement: 'nvidia-nvjitlink==13.5.37',
        sha256: '280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb',
      },
      {
        requirement: 'nvidia-nvshmem-cu13==3.8.0',
        sha256: '81a4d1f666543e6d34df6d2ff940c7da1435e34e186aab6f3c2b48861b64ef38',
      },
      {
        requirement: 'nvidia-nvvm==13.5.37',
        sha256: 'c41bfa362e407405163f103c2229f0765f8cc2ed7d148b754dc77f228bf7e070',
      },
    ],
    bytes: 8e9,
  },
  {
    ...base,
    package: 'jax-cuda12-pjrt',
    version: '0.10.2',
    device: 'cuda',
    driver: 525,
    plugin: 'jax_plugins/xla_cuda12/xla_cuda_plugin.so',
    wheels: [
      {
        requirement: 'jax-cuda12-pjrt==0.10.2',
        sha256: '806d1fd29038b6acf5a2b289dd62192abea977ee26aef60ea295b1d28a23acf8',
      },
      {
        requirement: 'nvidia-cublas-cu12==12.9.3.13',
        sha256: 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
      },
      {
        requirement: 'nvidia-cuda-cupti-cu12==12.9.79',
        sha256: '096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f',
      },
      {
        requirement: 'nvidia-cuda-nvcc-cu12==12.9.86',
        sha256: '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0',
      },
      {
        requirement: 'nvidia-cuda-nvrtc-cu12==12.9.86',
        sha256: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
      },
      {
        requirement: 'nvidia-cuda-runtime-cu12==12.9.79',
        sha256: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
      },
      {
        requirement: 'nvidia-cudnn-cu12==9.28.0.42',
        sha256: '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375',
      },
      {
        requirement: 'nvidia-cufft-cu12==11.4.1.4',
        sha256: 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
      },
      {
        requirement: 'nvidia-cusolver-cu12==11.7.5.82',
        sha256: '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
      },
      {
        requirement: 'nvidia-cusparse-cu12==12.5.10.65',
        sha256: '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
      },
      {
        requirement: 'nvidia-nccl-cu12==2.32.3',
        sha256: 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c',
      },
      {
        requirement: 'nvidia-nvjitlink-cu12==12.9.86',
        sha256: 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
      },
      {
        requirement: 'nvidia-nvshmem-cu12==3.8.0',
        sha256: 'b2e5760d6158aefe7bb74348d5128bb1b46a7dd1fd4b7b1e6fe55b4b07888f70',
      },
    ],
    bytes: 8e9,
  },
];

/** The release for the NVIDIA driver of this number, as 580, or the newest; undefined where there is none. */
export function cudaRelease(platform: string, driver: number | undefined): PluginRelease | undefined {
  if (platform !== 'linux-x64') return undefined;
  return cuda.find((release) => driver === undefined || driver >= release.driver);
}
