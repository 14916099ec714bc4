package io.github.diffusion4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.diffusion4j.Lora;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.pipeline.Provenance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LoRAs and checkpoints in one file on the command line. */
class LoraOptionTest {

  private static final Path GOLDENS = Path.of("../core/src/test/resources/goldens/pipelines");
  private static final Path MODEL = GOLDENS.resolve("sd15-clip-skip/model");
  private static final Path LORA = GOLDENS.resolve("weights/lora_kohya.safetensors");
  private static final Path ONE_FILE = GOLDENS.resolve("weights/sd15_single_file.safetensors");

  @TempDir Path folder;

  private int[] paint(String prompt, String... more) throws IOException {
    Path png = folder.resolve("x.png");
    Files.deleteIfExists(png);
    Stream<String> given =
        Stream.of("generate", prompt, "--seed=1", "--steps=2", "--width=64", "--height=64");
    String[] all =
        Stream.of(given, Stream.of("--out=" + png, "--threads=1"), Arrays.stream(more))
            .flatMap(arguments -> arguments)
            .toArray(String[]::new);
    Run run = Run.of(all);
    assertEquals(0, run.code(), run.err());
    return PictureFile.read(png).getRGB(0, 0, 64, 64, null, 0, 64);
  }

  /** Within one step of a channel: merged and per request round differently. */
  private static void assertAlike(int[] expected, int[] actual) {
    for (int i = 0; i < expected.length; i++) {
      for (int shift = 0; shift <= 16; shift += 8) {
        int difference = (expected[i] >> shift & 255) - (actual[i] >> shift & 255);
        assertTrue(Math.abs(difference) <= 1, "pixel " + i);
      }
    }
  }

  @Test
  void everyWayToGiveALoraPaintsTheSame() throws IOException {
    String model = "--model=" + MODEL;
    int[] without = paint("a cat", model);
    int[] with = paint("a cat", model, "--lora=" + LORA + ":0.7");
    assertTrue(!Arrays.equals(without, with));
    assertEquals(
        List.of(Lora.of(LORA.getFileName(), 0.7)),
        Provenance.readRequest(folder.resolve("x.png")).loras());
    assertAlike(with, paint("a cat", model, "--merge-lora=" + LORA + ":0.7"));
    int[] tagged =
        paint(
            "a cat<lora:lora_kohya:0.7>",
            model,
            "--prompt-syntax=a1111",
            "--lora-dir=" + LORA.getParent());
    assertArrayEquals(with, tagged);
    assertTrue(
        PictureFile.readTexts(folder.resolve("x.png"))
            .get("parameters")
            .startsWith("a cat <lora:lora_kohya:0.7>"));
    Files.move(folder.resolve("x.png"), folder.resolve("painted.png"));
    int[] again =
        paint(
            "a cat",
            model,
            "--from=" + folder.resolve("painted.png"),
            "--lora-dir=" + LORA.getParent());
    assertArrayEquals(with, again);
  }

  @Test
  void aCheckpointInOneFilePaintsWhatTheExportPaints() throws IOException {
    int[] exported = paint("a cat", "--model=" + MODEL);
    assertAlike(exported, paint("a cat", "--model=" + ONE_FILE, "--config=" + MODEL));
  }

  @Test
  void aCheckpointInOneFileIsExported() throws IOException {
    Run run = Run.of("export", ONE_FILE.toString(), "--config=" + MODEL, "--out=" + folder + "/x");
    assertEquals(0, run.code(), run.err());
    int[] exported = paint("a cat", "--model=" + folder.resolve("x"));
    assertAlike(paint("a cat", "--model=" + MODEL), exported);
  }

  @Test
  void exportAndInspectTakeWhatTheUNetGives() throws IOException {
    Path configs = folder.resolve("configs"); // a scheduler's would say what the UNet gives
    List<String> parts =
        List.of(
            "unet/config.json",
            "vae_decoder/config.json",
            "text_encoder/config.json",
            "tokenizer/tokenizer.json");
    for (String part : parts) {
      Files.createDirectories(configs.resolve(part).getParent());
      Files.copy(MODEL.resolve(part), configs.resolve(part));
    }
    String[] hints = {"--config=" + configs, "--prediction=v_prediction"};
    Path out = folder.resolve("x");
    Run run = Run.of("export", ONE_FILE.toString(), hints[0], hints[1], "--out=" + out);
    assertEquals(0, run.code(), run.err());
    String scheduler = Files.readString(out.resolve("scheduler/scheduler_config.json"));
    assertTrue(scheduler.contains("v_prediction"), scheduler);
    run = Run.of("inspect", ONE_FILE.toString(), "--no-open", hints[0], hints[1]);
    assertEquals(0, run.code(), run.err());
    assertTrue(run.out().contains("prediction_type = v_prediction"), run.out());
    run = Run.of("export", ONE_FILE.toString(), "--prediction=x", "--out=" + folder + "/y");
    assertEquals(2, run.code());
    assertTrue(run.err().contains("expected epsilon or v_prediction, got x"), run.err());
  }

  @Test
  void whatIsNotThereIsSaid() {
    Run run = Run.of("generate", "a cat <lora:none>", "--model=" + MODEL, "--prompt-syntax=a1111");
    assertEquals(2, run.code(), run.err());
    assertTrue(run.err().contains("opened without a folder of LoRAs"), run.err());
    run =
        Run.of(
            "generate",
            "a cat <lora:../none>",
            "--model=" + MODEL,
            "--prompt-syntax=a1111",
            "--lora-dir=" + folder);
    assertEquals(2, run.code(), run.err());
    assertTrue(run.err().contains("there is no ../none.safetensors in"), run.err());
    run = Run.of("generate", "a cat", "--model=" + MODEL, "--lora=" + ONE_FILE);
    assertEquals(1, run.code(), run.err());
    assertTrue(run.err().contains("tensors that no LoRA has"), run.err());
    run = Run.of("generate", "a cat", "--model=" + ONE_FILE);
    assertEquals(1, run.code(), run.err());
    assertTrue(run.err().contains("in a folder of configurations"), run.err());
    run = Run.of("generate", "a cat", "--model=" + LORA);
    assertTrue(run.err().contains("a LoRA: give it beside a model"), run.err());
    run = Run.of("generate", "a cat", "--model=model.ckpt");
    assertTrue(run.err().contains("no model there"), run.err());
  }

  @Test
  void inspectShowsFiles() {
    Run run = Run.of("inspect", LORA.toString());
    assertEquals(0, run.code(), run.err());
    for (String expected :
        List.of(
            "a LoRA: give it beside a model",
            "ss_network_dim",
            " of F32",
            "lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight F32[2, 32]")) {
      assertTrue(run.out().contains(expected), expected + " in " + run.out());
    }
    run = Run.of("inspect", LORA.toString(), "--json");
    assertTrue(run.out().contains("\"shape\" : [ 2, 32 ]"), run.out());
    run = Run.of("inspect", ONE_FILE.toString(), "--config=" + MODEL);
    assertEquals(0, run.code(), run.err());
    for (String expected :
        List.of("stable-diffusion (StableDiffusionPipeline)", "vae_decoder", "PNDMScheduler")) {
      assertTrue(run.out().contains(expected), expected + " in " + run.out());
    }
  }

  @Test
  void scalesAreNumbersAfterTheLastColon() {
    assertEquals(Lora.of(Path.of("a.safetensors"), 1), LoraOption.parse("a.safetensors"));
    assertEquals(Lora.of(Path.of("a.safetensors"), -0.5), LoraOption.parse("a.safetensors:-0.5"));
    assertEquals(Lora.of(Path.of("b:a.safetensors"), 2), LoraOption.parse("b:a.safetensors:2"));
    assertEquals(Lora.of(Path.of("b:a.safetensors"), 1), LoraOption.parse("b:a.safetensors"));
  }
}
