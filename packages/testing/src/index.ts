export { type ContractEntry, describeContract } from './contract.js';
export { buildData, buildModel, modelNames, type ModelName } from './models.js';
export { makeTrainer, train, type Trained, weightsOf } from './training.js';
