package io.github.diffusion4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.tensor.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every guidance method, interval and schedule against diffusers' guiders. */
public class GuidanceGoldenTest {

  private static final Path FOLDER = Goldens.folder("guidance");
  private static final float TOLERANCE = 1e-6f;

  /** One case of cases.json. */
  public record Case(JsonNode node) {

    /** The part of a request that is guidance. */
    public GuidanceOptions options() {
      GuidanceOptions options =
          GuidanceOptions.DEFAULT
              .withScale(node.path("scale").asDouble())
              .withRescale(node.path("rescale").asDouble())
              .withMethod(GuidanceMethod.of(node.path("method").asText()))
              .withInterval(
                  new GuidanceInterval(
                      node.path("interval").path(0).asDouble(),
                      node.path("interval").path(1).asDouble()));
      return node.has("schedule")
          ? options.withSchedule(GuidanceSchedule.of(node.path("schedule").asText()))
          : options;
    }

    /** How many branches each evaluation needs. */
    public List<Integer> branches() {
      List<Integer> branches = new ArrayList<>();
      node.path("branches").forEach(count -> branches.add(count.asInt()));
      return branches;
    }

    @Override
    public String toString() {
      return node.path("name").asText();
    }
  }

  /** What cases.json says. */
  public static JsonNode cases() throws IOException {
    return JsonMapper.builder().build().readTree(FOLDER.resolve("cases.json").toFile());
  }

  static Stream<Case> predictions() throws IOException {
    return StreamSupport.stream(cases().path("predictions").spliterator(), false).map(Case::new);
  }

  @ParameterizedTest
  @MethodSource("predictions")
  void predictionsAreThoseOfTheReference(Case golden) throws IOException {
    JsonNode dims = cases().path("shape");
    LatentShape shape =
        new LatentShape(
            dims.path(0).asInt(), dims.path(1).asInt(), dims.path(2).asInt(), dims.path(3).asInt());
    int evaluations = cases().path("evaluations").asInt();
    Guidance guidance = Guidance.of(golden.options());
    assertEquals(golden.branches(), guidance.branches(evaluations));
    GuidanceRun run = guidance.start(evaluations, shape);
    GuidanceRun other = guidance.start(evaluations, shape); // goes its own way in between
    try (SafetensorsFile file = SafetensorsFile.open(FOLDER.resolve("predictions.safetensors"))) {
      float[] prompt = file.floats("prompt");
      float[] negative = file.floats("negative");
      float[] expected = file.floats(golden.toString());
      int total = shape.total();
      float[] dst = new float[total];
      for (int i = 0; i < evaluations; i++) {
        float[] outputs = new float[2 * total];
        Arrays.fill(outputs, Float.NaN);
        int branches = golden.branches().get(i);
        if (branches > 0) {
          System.arraycopy(prompt, i * total, outputs, (branches - 1) * total, total);
        }
        if (branches > 1) {
          System.arraycopy(negative, i * total, outputs, 0, total);
        }
        run.combine(outputs.clone(), dst);
        other.combine(new float[2 * total], new float[total]);
        float[] wanted = Arrays.copyOfRange(expected, i * total, (i + 1) * total);
        assertArrayEquals(wanted, dst, TOLERANCE * greatest(wanted), "evaluation " + i);
      }
    }
  }

  private static float greatest(float[] values) {
    float greatest = 1;
    for (float value : values) {
      greatest = Math.max(greatest, Math.abs(value));
    }
    return greatest;
  }
}
