export { makeTrainer, train, type Trained, weightsOf } from '@hypetune/testing';
