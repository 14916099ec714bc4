/** The pipeline: from a request to pictures. */
package io.github.diffusion4j.pipeline;
