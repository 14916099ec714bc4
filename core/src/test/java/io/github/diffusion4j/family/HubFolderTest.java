package io.github.diffusion4j.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Goldens;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.NativeCount;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.tensor.SafetensorsFile;
import io.github.diffusion4j.tensor.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders of weights as the hub really has them: old names of weights, names of files. */
class HubFolderTest {

  private static final OrtRuntime RUNTIME =
      OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());

  private static final String VAE = "vae/diffusion_pytorch_model.safetensors";
  private static final String ENCODER = "text_encoder/model.safetensors";
  private static final long[] LATENTS = {1, 4, 3, 5};
  private static final long[] PICTURE = {1, 3, 32, 40};

  private final Path model = Goldens.resource("/goldens/pipelines/weights/sd15");

  @TempDir Path folder;

  @AfterEach
  void nothingLeaks() {
    assertEquals(0, NativeCount.open());
  }

  /** Tensors of a file that is to be written. */
  private static final class Tensors {
    private final Map<String, List<Long>> shapes = new LinkedHashMap<>();
    private final Map<String, float[]> values = new LinkedHashMap<>();

    static Tensors of(Path file) throws IOException {
      Tensors tensors = new Tensors();
      try (SafetensorsFile stored = SafetensorsFile.open(file)) {
        for (String name : stored.names()) {
          tensors.put(name, stored.info(name).shape(), stored.floats(name));
        }
      }
      return tensors;
    }

    void put(String name, List<Long> shape, float[] elements) {
      shapes.put(name, shape);
      values.put(name, elements);
    }

    Tensors renamed(UnaryOperator<String> names, boolean asKernels) {
      Tensors renamed = new Tensors();
      values.forEach(
          (name, elements) -> {
            List<Long> shape = shapes.get(name);
            String other = names.apply(name);
            boolean kernel = asKernels && name.contains(".attentions.") && shape.size() == 2;
            renamed.put(
                other, kernel ? List.of(shape.get(0), shape.get(1), 1L, 1L) : shape, elements);
          });
      return renamed;
    }

    void write(Path file) throws IOException {
      SafetensorsWriter writer = new SafetensorsWriter();
      values.forEach((name, elements) -> writer.add(name, shapes.get(name), elements));
      Files.createDirectories(file.getParent());
      writer.write(file);
    }
  }

  private static String old(String name) {
    return name.contains(".attentions.")
        ? name.replace(".to_q.", ".query.")
            .replace(".to_k.", ".key.")
            .replace(".to_v.", ".value.")
            .replace(".to_out.0.", ".proj_attn.")
        : name;
  }

  private void config(String component) throws IOException {
    Files.createDirectories(folder.resolve(component));
    Files.copy(
        model.resolve(component).resolve("config.json"),
        folder.resolve(component).resolve("config.json"));
  }

  private static float[] random(long[] shape) {
    SplittableRandom random = new SplittableRandom(11);
    int elements = 1;
    for (long size : shape) {
      elements *= (int) size;
    }
    float[] values = new float[elements];
    for (int i = 0; i < elements; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    return values;
  }

  private static float[] decoded(Path of) throws IOException {
    return floats(of, "vae_decoder", "latent_sample", LATENTS, "sample");
  }

  private static float[] encoded(Path of) throws IOException {
    return floats(of, "vae_encoder", "sample", PICTURE, "latent_parameters");
  }

  private static float[] floats(Path of, String component, String in, long[] shape, String out)
      throws IOException {
    ComponentNetwork network = ModelLayout.of(of).network(component);
    try (OrtModel opened = network.open(RUNTIME, List.of());
        OrtBinding binding = opened.bind(new CancelToken())) {
      binding.input(in, shape).put(random(shape));
      return binding.fetch(Set.of(out)).get(out).values();
    }
  }

  private static float[] read(Path of) throws IOException {
    try (OrtModel opened = ModelLayout.of(of).network("text_encoder").open(RUNTIME, List.of());
        OrtBinding binding = opened.bind(new CancelToken())) {
      long[] ids = new long[77];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = 7L * i;
      }
      binding.input("input_ids", 1, 77).put(ids);
      return binding.fetch(Set.of("last_hidden_state")).get("last_hidden_state").values();
    }
  }

  private void index() throws IOException {
    Files.copy(model.resolve("model_index.json"), folder.resolve("model_index.json"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void attentionOfAutoencodersUnderOldNames(boolean asKernels) throws IOException {
    index();
    config("vae");
    Tensors tensors = Tensors.of(model.resolve(VAE));
    tensors.renamed(HubFolderTest::old, asKernels).write(folder.resolve(VAE));
    assertArrayEquals(decoded(model), decoded(folder), 0f);
    assertArrayEquals(encoded(model), encoded(folder), 0f);
    tensors.renamed(name -> name, asKernels).write(folder.resolve(VAE));
    assertArrayEquals(decoded(model), decoded(folder), 0f);
  }

  @Test
  void attentionUnderBothNamesOrNeither() throws IOException {
    index();
    config("vae");
    String key = "decoder.mid_block.attentions.0.key.weight";
    Tensors both = Tensors.of(model.resolve(VAE));
    both.put(key, List.of(8L, 8L), new float[64]);
    both.write(folder.resolve(VAE));
    ModelFormatException thrown = assertThrows(ModelFormatException.class, () -> decoded(folder));
    assertTrue(thrown.getMessage().contains("does not use: " + key), thrown.getMessage());
    Tensors.of(model.resolve(VAE))
        .renamed(name -> name.replace(".to_k.", ".to_x."), false)
        .write(folder.resolve(VAE));
    thrown = assertThrows(ModelFormatException.class, () -> decoded(folder));
    assertTrue(thrown.getMessage().contains("attentions.0.to_k.weight"), thrown.getMessage());
    Tensors wrong = Tensors.of(model.resolve(VAE)).renamed(HubFolderTest::old, false);
    wrong.put(key, List.of(8L, 4L, 1L, 1L), new float[32]);
    wrong.write(folder.resolve(VAE));
    thrown = assertThrows(ModelFormatException.class, () -> decoded(folder));
    assertTrue(thrown.getMessage().contains("attentions.0.to_k.weight"), thrown.getMessage());
    assertTrue(thrown.getMessage().contains("[8, 8, 1, 1]"), thrown.getMessage());
    assertTrue(thrown.getMessage().contains("F32[8, 4, 1, 1]"), thrown.getMessage());
  }

  @Test
  void textEncodersWithoutPrefixAndWithBuffers() throws IOException {
    index();
    config("text_encoder");
    Tensors tensors = Tensors.of(model.resolve(ENCODER));
    tensors.put("text_model.embeddings.position_ids", List.of(1L, 77L), new float[77]);
    tensors.write(folder.resolve(ENCODER));
    assertArrayEquals(read(model), read(folder), 0f);
    tensors
        .renamed(name -> name.replaceFirst("^text_model\\.", ""), false)
        .write(folder.resolve(ENCODER));
    assertArrayEquals(read(model), read(folder), 0f);
    assertEquals(layers(model), layers(folder), "LoRAs find the layers");
  }

  /** As diffusers does, which asks model_index.json alone. */
  @Test
  void classesThatOnlyTheIndexNames() throws IOException {
    index();
    config("vae");
    Tensors.of(model.resolve(VAE)).write(folder.resolve(VAE));
    Path config = folder.resolve("vae/config.json");
    String text = Files.readString(config);
    String said = "\"_class_name\": \"AutoencoderKL\"";
    assertTrue(text.contains(said), text);
    for (String other : List.of("\"x\": 1", "\"_class_name\": \"Autoencoder\"")) {
      Files.writeString(config, text.replace(said, other));
      assertArrayEquals(decoded(model), decoded(folder), 0f);
    }
    Files.delete(folder.resolve("model_index.json"));
    Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\": \"X\"}");
    String message =
        assertThrows(
                ModelFormatException.class, () -> ModelLayout.of(folder).network("vae_decoder"))
            .getMessage();
    assertTrue(message.contains("no network of the class \"Autoencoder\""), message);
  }

  @Test
  void namesOfRepositoriesAndSingleComponentsSayWhatToDo() throws IOException {
    String message = missing("stabilityai/no-such-model");
    assertTrue(message.contains("git clone https://huggingface.co/stabilityai/no-such"), message);
    assertTrue(message.contains("nothing is downloaded"), message);
    for (String other : List.of("./models/none", "none", "/none/none", "a/b/c")) {
      message = missing(other);
      assertTrue(message.endsWith("no model there"), message);
    }
    config("vae");
    message =
        assertThrows(ModelFormatException.class, () -> ModelLayout.of(folder.resolve("vae")))
            .getMessage();
    assertTrue(message.contains("one of its components: give the folder above it"), message);
  }

  private static String missing(String model) {
    return assertThrows(NoSuchFileException.class, () -> ModelLayout.of(Path.of(model)))
        .getMessage();
  }

  private static Set<String> layers(Path of) throws IOException {
    return ModelLayout.of(of).network("text_encoder").source().layers().keySet();
  }

  @Test
  void attentionOfUnetsWithoutTextUnderOldNames() throws IOException {
    Path unet = Goldens.resource("/goldens/unets/unconditional");
    Path file = folder.resolve("unet/diffusion_pytorch_model.safetensors");
    Tensors.of(unet.resolve(file.getFileName().toString()))
        .renamed(HubFolderTest::old, false)
        .write(file);
    Files.copy(unet.resolve("config.json"), folder.resolve("unet/config.json"));
    ComponentNetwork renamed = ComponentNetwork.find(folder, "unet").orElseThrow();
    ComponentNetwork present =
        ComponentNetwork.find(unet.getParent(), "unconditional").orElseThrow();
    assertEquals(present.source().layers(), renamed.source().layers());
    assertEquals(present.describe().elements(), renamed.describe().elements());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "diffusion_pytorch_model.safetensors",
        "diffusion_pytorch_model.fp16.safetensors",
        "diffusion_pytorch_model.bf16.safetensors",
        "diffusion_pytorch_model.non_ema.safetensors",
        "diffusion_pytorch_model.fp16-fix.safetensors",
        "model.safetensors",
        "model.fp16.safetensors",
      })
  void namesOfFiles(String name) throws IOException {
    index();
    config("vae");
    Path vae = folder.resolve("vae");
    Files.copy(model.resolve(VAE), vae.resolve(name));
    for (String other :
        List.of(
            "openvino_model.xml",
            "openvino_model.bin",
            "flax_model.msgpack",
            "diffusion_flax_model.msgpack",
            "diffusion_pytorch_model.bin",
            "diffusion_pytorch_model.fp16.bin",
            "pytorch_model.bin.index.json",
            "taesd.safetensors")) {
      Files.writeString(vae.resolve(other), "not weights that are read");
    }
    assertEquals(vae.resolve(name), WeightFile.in(vae).orElseThrow());
    assertArrayEquals(decoded(model), decoded(folder), 0f);
  }

  @ParameterizedTest
  @CsvSource({
    "diffusion_pytorch_model.safetensors.index.json,diffusion_pytorch_model-00001-of-00002.safetensors",
    "diffusion_pytorch_model.safetensors.index.fp16.json,diffusion_pytorch_model.fp16-00001-of-00002.safetensors",
    "diffusion_pytorch_model.safetensors.fp16.index.json,diffusion_pytorch_model-00001-of-00002.fp16.safetensors",
    "diffusion_pytorch_model.fp16.safetensors.index.json,diffusion_pytorch_model.fp16-00001-of-00002.safetensors",
    "model.safetensors.index.json,model-00001-of-00002.safetensors",
    "model.safetensors.index.fp16.json,model.fp16-00001-of-00002.safetensors",
  })
  void severalFiles(String index, String first) throws IOException {
    index();
    config("vae");
    Path vae = folder.resolve("vae");
    split(index, first);
    assertEquals(vae.resolve(index), WeightFile.in(vae).orElseThrow());
    assertArrayEquals(decoded(model), decoded(folder), 0f);
    assertArrayEquals(encoded(model), encoded(folder), 0f);
    Files.delete(vae.resolve(index));
    ModelFormatException thrown = assertThrows(ModelFormatException.class, () -> decoded(folder));
    assertTrue(thrown.getMessage().contains("00001-of-00002"), thrown.getMessage());
    assertTrue(thrown.getMessage().contains("index.json"), thrown.getMessage());
  }

  private void split(String index, String first) throws IOException {
    Tensors tensors = Tensors.of(model.resolve(VAE));
    List<Tensors> parts = List.of(new Tensors(), new Tensors());
    List<String> files = List.of(first, first.replace("00001-of", "00002-of"));
    StringBuilder places = new StringBuilder();
    int i = 0;
    for (String name : tensors.values.keySet()) {
      parts.get(i % 2).put(name, tensors.shapes.get(name), tensors.values.get(name));
      places.append(i == 0 ? "" : ",").append("\"%s\":\"%s\"".formatted(name, files.get(i % 2)));
      i++;
    }
    for (int part = 0; part < 2; part++) {
      parts.get(part).write(folder.resolve("vae").resolve(files.get(part)));
    }
    Files.writeString(
        folder.resolve("vae").resolve(index),
        "{\"metadata\":{\"total_size\":1},\"weight_map\":{" + places + "}}");
  }

  @Test
  void orderOfPreference() throws IOException {
    List<String> names =
        List.of(
            "diffusion_pytorch_model.safetensors",
            "diffusion_pytorch_model.safetensors.index.json",
            "diffusion_pytorch_model.fp16.safetensors",
            "diffusion_pytorch_model.safetensors.index.fp16.json",
            "diffusion_pytorch_model.bf16.safetensors",
            "diffusion_pytorch_model.ema.safetensors",
            "diffusion_pytorch_model.non_ema.safetensors",
            "model.safetensors");
    for (String name : names) {
      Files.writeString(folder.resolve(name), "");
    }
    for (String name : names) {
      assertEquals(folder.resolve(name), WeightFile.in(folder).orElseThrow());
      Files.delete(folder.resolve(name));
    }
    assertTrue(WeightFile.in(folder).isEmpty());
    assertTrue(WeightFile.in(folder.resolve("nowhere")).isEmpty());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "diffusion_pytorch_model.bin",
        "pytorch_model.bin",
        "model.ckpt",
        "flax_model.msgpack",
      })
  void formatsThatAreNotRead(String name) throws IOException {
    index();
    config("vae");
    Files.writeString(folder.resolve("vae").resolve(name), "");
    ModelLayout layout = ModelLayout.of(folder);
    for (String half : List.of("vae_decoder", "vae_encoder")) {
      ModelFormatException thrown =
          assertThrows(ModelFormatException.class, () -> layout.network(half));
      assertTrue(thrown.getMessage().contains(name + " is there"), thrown.getMessage());
      assertTrue(thrown.getMessage().contains("safe_serialization=True"), thrown.getMessage());
    }
  }

  @Test
  void pointersOfGit() throws IOException {
    index();
    config("vae");
    Files.writeString(
        folder.resolve(VAE),
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 334643268\n");
    ModelFormatException thrown = assertThrows(ModelFormatException.class, () -> decoded(folder));
    assertTrue(thrown.getMessage().contains("git lfs pull"), thrown.getMessage());
  }

  @Test
  void halvesThatOnlyOtherRuntimesRead() throws IOException {
    index();
    config("vae");
    Files.copy(model.resolve(VAE), folder.resolve(VAE));
    for (String half : List.of("vae_decoder", "vae_encoder")) {
      Files.createDirectory(folder.resolve(half));
      Files.writeString(folder.resolve(half).resolve("config.json"), "{\"latent_channels\": 99}");
      Files.writeString(folder.resolve(half).resolve("openvino_model.xml"), "");
    }
    ModelLayout layout = ModelLayout.of(folder);
    assertEquals(List.of("vae_decoder", "vae_encoder"), layout.networkNames());
    assertEquals(4, layout.config("vae_decoder").positive("latent_channels").orElseThrow());
    assertArrayEquals(decoded(model), decoded(folder), 0f);
    assertArrayEquals(encoded(model), encoded(folder), 0f);
  }

  /** As repositories of autoencoders have it. */
  @Test
  void autoencoderAtTheTop() throws IOException {
    ModelExport.copy(model.resolve("vae"), folder.resolve("taesd"));
    RuntimeOptions options = RuntimeOptions.builder().intraOpThreads(1).build();
    try (Autoencoder autoencoder = Autoencoder.load(folder.resolve("taesd"), options)) {
      assertEquals(4, autoencoder.latentChannels());
      assertTrue(autoencoder.encodes());
    }
    Files.move(
        folder.resolve("taesd/diffusion_pytorch_model.safetensors"),
        folder.resolve("taesd/diffusion_pytorch_model.bin"));
    ModelFormatException thrown =
        assertThrows(
            ModelFormatException.class, () -> Autoencoder.load(folder.resolve("taesd"), options));
    assertTrue(thrown.getMessage().contains("vae_decoder"), thrown.getMessage());
  }

  /** As the hub's cache has it: links to files named by their content. */
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void linksToFilesOfOtherNames() throws IOException {
    Path snapshot = Files.createDirectories(folder.resolve("snapshots/main"));
    Path blobs = Files.createDirectories(folder.resolve("blobs"));
    int i = 0;
    for (String name : List.of("model_index.json", "vae/config.json", VAE)) {
      Path blob = Files.copy(model.resolve(name), blobs.resolve("0a" + i++));
      Path link = snapshot.resolve(name);
      Files.createDirectories(link.getParent());
      Files.createSymbolicLink(link, link.getParent().relativize(blob));
    }
    assertArrayEquals(decoded(model), decoded(snapshot), 0f);
  }
}
