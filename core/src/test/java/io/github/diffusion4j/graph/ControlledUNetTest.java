package io.github.diffusion4j.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtOutput;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A UNet and ControlNets in one graph compute what they compute apart. */
class ControlledUNetTest {

  private static final Path MODEL = Goldens.folder("pipelines").resolve("controlnet/model");
  private static final OrtRuntime RUNTIME =
      OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());

  private final Map<String, float[]> values = new HashMap<>();
  private final Map<String, long[]> shapes = new HashMap<>();

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  private void give(String name, Random random, long... shape) {
    int count = 1;
    for (long size : shape) {
      count *= (int) size;
    }
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    values.put(name, numbers);
    shapes.put(name, shape);
  }

  private Map<String, float[]> run(Architecture architecture, WeightSource weights)
      throws IOException {
    BuiltNetwork network = new BuiltNetwork("unet", architecture, weights);
    try (OrtModel model = RUNTIME.open("unet", network, List.of());
        OrtBinding binding = model.bind(new CancelToken())) {
      for (String name : model.inputs().keySet()) {
        binding.input(name, shapes.get(name)).put(values.get(name));
      }
      Map<String, float[]> results = new TreeMap<>();
      Map<String, OrtOutput> outputs = binding.fetch(model.outputs().keySet());
      for (Map.Entry<String, OrtOutput> output : outputs.entrySet()) {
        results.put(output.getKey(), output.getValue().values());
        shapes.put(
            output.getKey(),
            java.util.stream.IntStream.range(0, output.getValue().rank())
                .mapToLong(output.getValue()::dim)
                .toArray());
      }
      return results;
    }
  }

  private static WeightSource exported(String component) throws IOException {
    Path file = MODEL.resolve(component).resolve("model.onnx");
    ExportedWeights weights = new ExportedWeights(file);
    return new WeightSource() {
      @Override
      public Path file() {
        return file;
      }

      @Override
      public Weights open(Closer open) {
        return weights;
      }
    };
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void oneGraphComputesTheSame(int count) throws IOException {
    long seed = Long.getLong("tests.seed", 5);
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    give("sample", random, 2, 4, 8, 12);
    give("timestep", random);
    give("encoder_hidden_states", random, 2, 7, 16);
    UNet unet = UNet.of(ConfigFile.read(MODEL, "unet/config.json"));
    ControlNet net = ControlNet.of(ConfigFile.read(MODEL, "controlnet/config.json"));
    WeightSource netWeights = exported("controlnet");
    List<ControlNet> nets = new ArrayList<>();
    List<WeightSource> sources = new ArrayList<>();
    Map<String, float[]> sums = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      String suffix = i == 0 ? "" : "_" + i;
      nets.add(net);
      sources.add(netWeights);
      give("controlnet_cond" + suffix, random, 2, 3, 64, 96);
      give("conditioning_scale" + suffix, random);
      values.put("controlnet_cond", values.get("controlnet_cond" + suffix));
      values.put("conditioning_scale", values.get("conditioning_scale" + suffix));
      run(net, netWeights).forEach((name, more) -> sums.merge(name, more, ControlledUNetTest::sum));
      values.put("kept" + i, values.get("controlnet_cond"));
      values.put("scale" + i, values.get("conditioning_scale"));
    }
    sums.forEach(values::put);
    values.put("mid_block_additional_residual", sums.get("mid_block_res_sample"));
    shapes.put("mid_block_additional_residual", shapes.get("mid_block_res_sample"));
    WeightSource unetWeights = exported("unet");
    float[] apart = run(unet.withResiduals(), unetWeights).get("out_sample");
    values.put("controlnet_cond", values.get("kept0"));
    values.put("conditioning_scale", values.get("scale0"));
    float[] together =
        run(new ControlledUNet(unet, nets), ControlledUNet.weights(unetWeights, sources))
            .get("out_sample");
    assertArrayEquals(apart, together, 1e-5f);
  }

  private static float[] sum(float[] a, float[] b) {
    float[] sum = a.clone();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += b[i];
    }
    return sum;
  }
}
