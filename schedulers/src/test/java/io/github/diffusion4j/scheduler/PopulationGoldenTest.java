package io.github.diffusion4j.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.golden.Goldens;
import io.github.diffusion4j.noise.NoiseSource;
import io.github.diffusion4j.noise.TorchNoise;
import java.io.IOException;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** With other noise, whole loops end at the reference's distribution. */
class PopulationGoldenTest {

  private static final long SEED = 20;

  private final Goldens goldens = Goldens.of("schedulers");

  @TestFactory
  Stream<DynamicTest> population() throws IOException {
    return StreamSupport.stream(goldens.json("cases.json").spliterator(), false)
        .filter(entry -> entry.path("gaussian").path("population").isObject())
        .map(entry -> new GoldenCase(entry, goldens))
        .map(golden -> golden.test(() -> check(golden)));
  }

  private static void check(GoldenCase golden) throws IOException {
    JsonNode population = golden.at("gaussian").path("population");
    int count = population.path("count").asInt();
    NoiseSource noise = new TorchNoise(SEED);
    GridRun run =
        (GridRun) golden.scheduler().start(golden.plan(), new SampleShape(1, count), noise);
    float[] x = new float[count];
    noise.fill(x);
    if (golden.startsInTheMiddle() || golden.at("class").asText().contains("Inverse")) {
      float[] clean = x.clone();
      for (int i = 0; i < count; i++) {
        clean[i] =
            (float)
                (golden.at("gaussian").path("mu").asDouble()
                    + golden.at("gaussian").path("s").asDouble() * clean[i]);
      }
      if (golden.startsInTheMiddle()) {
        noise.fill(x);
        run.addNoise(clean, x, x);
      } else {
        x = clean;
      }
    } else {
      for (int i = 0; i < count; i++) {
        x[i] *= (float) run.initNoiseSigma();
      }
    }
    GaussianModel model = new GaussianModel(golden);
    float[] input = new float[count];
    float[] output = new float[count];
    while (run.index() < run.evaluations()) {
      run.scaleInput(x, input);
      model.answer(GaussianModel.signal(run), GaussianModel.noise(run), input, output);
      run.step(output, x);
    }
    double mean = 0;
    for (float value : x) {
      mean += value / count;
    }
    double variance = 0;
    for (float value : x) {
      variance += (value - mean) * (value - mean) / count;
    }
    double deviation = population.path("std").asDouble();
    String seed = " with seed " + SEED;
    assertEquals(
        population.path("mean").asDouble(), mean, 5 * deviation / Math.sqrt(count), "mean" + seed);
    assertEquals(
        deviation, Math.sqrt(variance), 5 * deviation / Math.sqrt(2.0 * count), "std" + seed);
  }
}
