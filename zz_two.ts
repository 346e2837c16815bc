import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { loadModel } from '@hypetune/models';
import { modelGraph, writeModel } from '@hypetune/onnx';
await setBackend('cpu');
for (const n of process.argv.slice(2)) for (const p of ['fp32','q8','fp16'] as const) {
  const {model}=await loadModel(`packages/models/fixtures/families/${n}`);
  await writeModel(`/tmp/i18/out/${n}/SequenceClassification/${p}.onnx`, modelGraph(model,p));
}
