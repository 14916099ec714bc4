/** Kinds of models: how a folder becomes the stages of a pipeline. */
package io.github.diffusion4j.family;
