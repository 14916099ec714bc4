package io.github.diffusion4j.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.graph.Weight;
import io.github.diffusion4j.graph.Weights;
import io.github.diffusion4j.tensor.TensorStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A checkpoint in one file reads as the folder of the same model, tensor by tensor. */
class CheckpointGoldenTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String ENDING = "_single_file.safetensors";

  /** What is told from widths as they are in models of full size. */
  private static final String BY_RULE =
      "num_attention_heads|attention_head_dim|transformer_layers_per_block";

  /** No value is given, but a UNet may have fewer channels than published ones. */
  private static final CheckpointHints NOTHING_GIVEN =
      new CheckpointHints(Optional.empty(), Map.of("unet", Map.of()), Optional.empty());

  private final Path weights = Goldens.folder("pipelines").resolve("weights");

  @TestFactory
  List<DynamicTest> everyNetwork() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> files = Files.list(weights)) {
      for (Path file : files.filter(f -> f.toString().endsWith(ENDING)).sorted().toList()) {
        String name = file.getFileName().toString().replace(ENDING, "");
        Path folder = weights.resolve(name);
        for (String network : networks(folder)) {
          tests.add(
              DynamicTest.dynamicTest(name + " " + network, () -> equal(file, folder, network)));
        }
      }
    }
    assertFalse(tests.isEmpty(), weights + " has no checkpoint in one file");
    return tests;
  }

  private static Set<String> networks(Path folder) throws IOException {
    Set<String> networks = new TreeSet<>();
    try (Stream<Path> inside = Files.list(folder)) {
      inside
          .filter(Files::isDirectory)
          .map(path -> path.getFileName().toString())
          .filter(name -> !name.matches("scheduler|(tokenizer|feature_extractor).*"))
          .forEach(networks::add);
    }
    return networks;
  }

  private static void equal(Path file, Path folder, String network) throws IOException {
    Map<String, Map<String, Object>> given = new HashMap<>();
    for (String name : networks(folder)) {
      given.put(name, config(folder.resolve(name).resolve("config.json")));
    }
    Checkpoint checkpoint = Checkpoint.open(file, CheckpointHints.NONE.withConfigs(folder));
    try (TensorStore expected = TensorStore.open(safetensors(folder.resolve(network)))) {
      Weights weights = checkpoint.weights(network);
      Set<String> names = new TreeSet<>(expected.names());
      names.removeIf(name -> name.endsWith("position_ids"));
      assertEquals(names, new TreeSet<>(weights.keys()));
      for (String name : names) {
        Weight weight = weights.find(name).orElseThrow();
        assertEquals(expected.info(name).shape(), weight.seen(), name);
        assertArrayEquals(expected.floats(name), weight.floats(), name);
      }
      // what the shapes tell is what the folder's own configuration says
      Map<String, Object> told = checkpoint.mapping(network).config();
      Map<String, Object> config = given.get(network);
      for (String key : told.keySet()) {
        if (!key.matches(BY_RULE)) {
          assertEquals(config.get(key), told.get(key), network + " " + key);
        }
      }
      Map<String, Object> made = Checkpoint.open(file, NOTHING_GIVEN).config(network);
      for (String key : told.keySet()) {
        if (!key.matches(BY_RULE)) {
          assertEquals(config.get(key), made.get(key), network + " " + key);
        }
      }
    }
  }

  private static Map<String, Object> config(Path file) throws IOException {
    return JSON.readValue(Files.readAllBytes(file), new TypeReference<>() {});
  }

  private static Path safetensors(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> found = files.filter(f -> f.toString().endsWith(".safetensors")).toList();
      assertTrue(found.size() == 1, folder + " has " + found);
      return found.get(0);
    }
  }
}
