package io.github.diffusion4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.diffusion4j.Residency;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.RuntimeOptions.Precision;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What the options that all commands share make of the runtime's. */
class ModelOptionsTest {

  private static RuntimeOptions runtime(String... arguments) {
    return CommandLine.populateCommand(new ModelOptions(), arguments).runtime();
  }

  @Test
  void nothingGivenIsTheDefault() {
    assertEquals(RuntimeOptions.defaults(), runtime());
  }

  @Test
  void whatIsGivenArrives() {
    RuntimeOptions given =
        runtime("--no-winograd", "--precision=fp16", "--residency=on-demand", "--memory=6g");
    assertFalse(given.winograd());
    assertEquals(Precision.FLOAT16, given.precision());
    assertEquals(Residency.ON_DEMAND, given.residency());
    assertEquals(6L << 30, given.memoryLimit());
  }
}
