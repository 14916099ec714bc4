package io.github.diffusion4j.onnx;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.ExecutionProvider;

/**
 * Whether a provider can be used on this machine.
 *
 * @param provider the provider
 * @param usable whether it can
 * @param why one sentence: what was found, or what is missing and how to get it
 */
record ProviderDiagnosis(ExecutionProvider provider, boolean usable, String why) {
  ProviderDiagnosis {
    requireNonNull(provider, "provider");
    requireNonNull(why, "why");
  }
}
