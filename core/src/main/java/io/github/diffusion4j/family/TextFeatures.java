package io.github.diffusion4j.family;

/**
 * What a text encoder says of one sequence of tokens.
 *
 * @param hidden [tokens, width] row-major; not to be changed
 * @param tokens number of tokens
 * @param width of one token's embedding
 * @param pooled of the whole sequence; of no length where the encoder gives none; not to be changed
 */
record TextFeatures(float[] hidden, int tokens, int width, float[] pooled) {}
