package io.github.diffusion4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.diffusion4j.image.PictureFile;
import io.github.diffusion4j.scheduler.Schedulers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class OtherCommandsTest {

  private static final Path MODEL = Path.of("models/emoji-ldm");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "generate",
        "inspect",
        "export",
        "tokens",
        "schedulers",
        "doctor",
        "completion",
        "--version",
        ""
      })
  void hasHelp(String command) {
    Run run = command.isEmpty() ? Run.of("--help") : Run.of(command, "--help");
    assertEquals(0, run.code());
    assertEquals("", run.err());
    assertTrue(
        run.out().contains(command.equals("--version") ? "diffusion4j" : "Usage: diffusion4j"));
  }

  @Test
  void exportsAFolderThatPaints() throws IOException {
    Path out = folder.resolve("onnx");
    Run run = Run.of("export", MODEL.toString(), "--out", out.toString());
    assertEquals(0, run.code(), run.err());
    assertEquals(0, Run.of("inspect", out.toString()).code());
    Run again = Run.of("export", MODEL.toString(), "--out", out.toString());
    assertEquals(1, again.code());
    assertTrue(again.err().contains("not empty"), again.err());
    Run wrong = Run.of("export", MODEL.toString(), "--out", "x", "--precision", "fp12");
    assertEquals(2, wrong.code());
    assertTrue(wrong.err().contains("fp16"), wrong.err());
  }

  @Test
  void showsHelpWithoutACommand() {
    Run run = Run.of();
    assertEquals(0, run.code());
    for (String command : List.of("generate", "inspect", "schedulers", "doctor", "completion")) {
      assertTrue(run.out().contains("  " + command + " "), run.out());
    }
  }

  @Test
  void suggestsTheCommandThatWasMeant() {
    Run run = Run.of("generat", "a fox");
    assertEquals(2, run.code());
    assertTrue(
        run.err().startsWith("diffusion4j: there is no command \"generat\"; did you mean"),
        run.err());
    assertTrue(run.err().contains("generate"), run.err());
  }

  @Test
  void inspectTellsWhatAModelConsistsOf() {
    Run run = Run.of("inspect");
    assertEquals(0, run.code(), run.err());
    for (String expected :
        List.of(
            "stable-diffusion",
            "text to image",
            "19,162,784 parameters (float16 99.8%",
            "sample float32[batch_size, 32, height, width]",
            "timestep int64[]",
            "DDIMScheduler",
            "prediction_type = v_prediction",
            "128 x 128 pixels",
            "25",
            "4.0")) {
      assertTrue(run.out().contains(expected), expected + " in " + run.out());
    }
  }

  @Test
  void inspectShowsBothHalvesOfAnAutoencoder() {
    Run run =
        Run.of("inspect", "../core/src/test/resources/goldens/pipelines/weights/sd15", "--no-open");
    assertEquals(0, run.code(), run.err());
    for (String half : List.of("vae_decoder      14,619", "vae_encoder      10,160")) {
      assertTrue(run.out().contains(half + " parameters (float32 100.0%), opset"), run.out());
    }
  }

  @Test
  void inspectEstimatesMemory() throws IOException {
    Run run = Run.of("inspect", "--json");
    assertEquals(0, run.code(), run.err());
    JsonNode memory = new JsonMapper().readTree(run.out()).path("memory");
    assertEquals(4, memory.path("weights_bytes").size());
    assertEquals(8, memory.path("plans").size());
    assertTrue(memory.path("plans").path(0).path("peak_bytes").asLong() > 100_000_000);
    String text = Run.of("inspect").out();
    assertTrue(text.contains("networks on demand, guidance branch by branch"), text);
    assertFalse(text.contains("with feature reuse"), text);
  }

  @Test
  void inspectEstimatesFeatureReuseOfModelsThatCan() throws IOException {
    String model = BatchFileTest.modelOfWeights(folder.resolve("model")).toString();
    Run run = Run.of("inspect", model, "--json");
    assertEquals(0, run.code(), run.err());
    for (JsonNode plan : new JsonMapper().readTree(run.out()).path("memory").path("plans")) {
      long without = plan.path("peak_bytes").asLong();
      long reusing = plan.path("peak_bytes_with_feature_reuse").asLong();
      assertTrue(reusing >= without && without > 0, plan.toString());
    }
    String text = Run.of("inspect", model).out();
    assertTrue(text.contains("all networks resident, with feature reuse"), text);
  }

  @Test
  void memoryLimitIsKept() {
    Run run = Run.of("generate", "red", "--steps=1", "--memory=200m");
    assertEquals(2, run.code(), run.err());
    assertTrue(run.err().contains("the limit is 200 MiB"), run.err());
    run = Run.of("generate", "red", "--memory=much");
    assertTrue(run.err().contains("expected a size such as 6g or 800m"), run.err());
    run = Run.of("generate", "red", "--residency=some");
    assertTrue(run.err().contains("expected all, on-demand or auto"), run.err());
  }

  @Test
  void inspectGivesJson() throws IOException {
    Run run = Run.of("inspect", MODEL.toString(), "--json");
    assertEquals(0, run.code(), run.err());
    JsonNode json = JsonMapper.builder().build().readTree(run.out());
    JsonNode unet = json.path("components").path("unet");
    assertEquals(19_162_784, unet.path("parameters").asLong());
    assertEquals(32, unet.path("inputs").path("sample").path("shape").path(1).asLong());
    assertEquals(Files.size(MODEL.resolve("unet/model.onnx")), bytesBesideConfig(unet, "unet"));
    assertEquals(25, json.path("defaults").path("steps").asInt());
    assertEquals("DDIMScheduler", json.path("scheduler").path("_class_name").asText());
    Run closed = Run.of("inspect", MODEL.toString(), "--json", "--no-open");
    assertTrue(
        JsonMapper.builder().build().readTree(closed.out()).path("defaults").isMissingNode());
  }

  private static long bytesBesideConfig(JsonNode component, String name) throws IOException {
    return component.path("bytes").asLong() - Files.size(MODEL.resolve(name + "/config.json"));
  }

  @Test
  void inspectSaysWhatIsNotAModel() throws IOException {
    assertEquals(1, Run.of("inspect", folder.toString()).code());
    Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\": \"CatPipeline\"}");
    Run run = Run.of("inspect", folder.toString());
    assertEquals(1, run.code());
    assertTrue(run.err().contains("CatPipeline"), run.err());
    assertEquals(1, run.err().lines().count());
  }

  @Test
  void listsAllSchedulers() {
    Run run = Run.of("schedulers");
    assertEquals(0, run.code(), run.err());
    Schedulers.names().forEach(name -> assertTrue(run.out().contains(name), name));
    Schedulers.all().keySet().forEach(name -> assertTrue(run.out().contains(name), name));
  }

  static List<String> schedulers() {
    return List.copyOf(Schedulers.all().keySet());
  }

  @ParameterizedTest
  @MethodSource("schedulers")
  void showsTheScheduleOf(String name) {
    Run run = Run.of("schedulers", name, "--steps=5");
    if (run.code() == 0) {
      assertTrue(run.out().startsWith(name + ", 5 steps, "), run.out());
      assertTrue(run.out().lines().count() >= 7, run.out());
    } else { // a solver that this model's predictions or betas do not suit
      assertEquals(2, run.code());
      assertTrue(run.err().contains(name + " must be one of"), run.err());
      assertTrue(Run.of("schedulers").out().contains(run.err().substring(13).strip()));
    }
  }

  @Test
  void namesAnUnknownScheduler() {
    Run run = Run.of("schedulers", "best");
    assertEquals(2, run.code());
    assertTrue(run.err().contains("best"), run.err());
  }

  @Test
  void doctorReports() {
    Run run = Run.of("doctor");
    assertEquals(0, run.code(), run.err());
    for (String line : List.of("system", "java", "memory", "runtime", "cpu", "cuda", "auto")) {
      assertTrue(run.out().lines().anyMatch(text -> text.startsWith(line + " ")), line);
    }
  }

  @Test
  void completionKnowsCommandsAndOptions() {
    Run run = Run.of("completion");
    assertEquals(0, run.code());
    assertTrue(run.out().contains("_picocli_diffusion4j"));
    assertTrue(run.out().contains("--save-latents"));
    assertFalse(run.out().contains("\r"));
  }

  @Test
  void schedulesOfSeveralSolversArePlotted() throws IOException {
    Path file = folder.resolve("plot.png");
    Run run = Run.of("schedulers", "ddim", "euler", "dpm++2m-karras", "--plot=" + file);
    if (run.code() == 0) {
      assertEquals(900, PictureFile.read(file).getWidth());
    } else { // a Java without fonts says so
      assertTrue(run.err().contains("no fonts"), run.err());
    }
  }

  @Test
  void aConfigurationAloneNamesItsSolver() {
    Path config = MODEL.resolve("scheduler/scheduler_config.json");
    Run run = Run.of("schedulers", "--config=" + config, "--steps=3");
    assertEquals(0, run.code(), run.err());
    assertTrue(run.out().startsWith("DDIMScheduler, 3 steps"), run.out());
  }
}
