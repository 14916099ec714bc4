/** Small programs that show one idea each, and the model that ships. */
package io.github.diffusion4j.examples;
