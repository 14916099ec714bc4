package io.github.diffusion4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.Residency;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.examples.ShippedModel;
import io.github.diffusion4j.family.MemoryNeeds;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows what a model consists of. */
@Command(
    name = "inspect",
    description =
        "Show what a model consists of: family, components, inputs and outputs, parameters,"
            + " scheduler, and the defaults it has when opened.")
final class InspectCommand implements Callable<Integer> {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Session session;

  @Parameters(
      arity = "0..1",
      paramLabel = "MODEL",
      description =
          "A model's folder, a checkpoint in one file, or any safetensors file. Default: the small"
              + " model that ships.")
  private Path folder;

  @Mixin private CheckpointOptions checkpoint;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Option(
      names = "--no-open",
      description = "Only read the files; no defaults, no estimate of memory.")
  private boolean closed;

  InspectCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws IOException {
    Path model = folder == null ? ShippedModel.path() : folder;
    if (TensorInspection.isAllThereIs(model)) {
      TensorInspection tensors = TensorInspection.of(model);
      print(json ? write(tensors.json()) : tensors.toText());
      return 0;
    }
    ModelLayout layout = ModelLayout.of(model, checkpoint.hints());
    Inspection inspection = Inspection.of(layout);
    Optional<ModelFacts> facts = facts(layout);
    Optional<MemoryTable> memory = memory(inspection, facts);
    if (json) {
      ObjectNode root = inspection.json(facts);
      memory.ifPresent(table -> table.write(root));
      print(write(root));
    } else {
      print(inspection.toText());
      print(facts.map(Inspection::defaults).orElse(""));
      print(memory.map(MemoryTable::toText).orElse(""));
    }
    return 0;
  }

  /** At the model's own size; not of a model with missing files. */
  private static Optional<MemoryTable> memory(Inspection inspection, Optional<ModelFacts> facts)
      throws IOException {
    if (!inspection.missingFiles().isEmpty() || facts.isEmpty()) {
      return Optional.empty();
    }
    ModelLayout layout = inspection.layout();
    RuntimeOptions options = RuntimeOptions.defaults();
    MemoryNeeds needs = MemoryNeeds.of(layout, options);
    MemoryNeeds reusing = needs.reusing(layout, options, FeatureReuse.every(2));
    int branches = facts.get().guidanceScale() > 1 ? 2 : 1;
    MemoryNeeds.Work work =
        new MemoryNeeds.Work(facts.get().width(), facts.get().height(), 1, branches);
    return Optional.of(new MemoryTable(needs, reusing, work));
  }

  private Optional<ModelFacts> facts(ModelLayout layout) throws IOException {
    if (closed) {
      return Optional.empty();
    }
    try (StableDiffusionPipeline pipeline =
        StableDiffusionPipeline.load(
            layout, RuntimeOptions.builder().residency(Residency.ON_DEMAND).build())) {
      return Optional.of(pipeline.facts());
    }
  }

  private static String write(Object value) throws JsonProcessingException {
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(value) + System.lineSeparator();
  }

  private void print(String text) {
    session.out().print(text);
    session.out().flush();
  }
}
