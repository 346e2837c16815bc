export { buildData, buildModel, modelNames, type ModelName } from '@hypetune/testing';
