/** Configuration files of models: JSON, read with errors that name file and key. */
package io.github.diffusion4j.config;
