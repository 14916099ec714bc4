package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Lora;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.PromptSyntax;
import io.github.diffusion4j.lora.LoraFiles;
import io.github.diffusion4j.prompt.LoraPrompt;
import io.github.diffusion4j.prompt.LoraTag;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** The LoRAs of a pipeline's requests: found by name, read once. Thread-safe. */
final class RequestLoras {

  private static final System.Logger LOG = System.getLogger(RequestLoras.class.getName());

  private static final String ENDING = ".safetensors";

  private final Optional<Path> folder;
  private final UnaryOperator<LoraSet> naming;
  private final LoraFiles files = new LoraFiles();

  /**
   * Nothing is read yet.
   *
   * @param folder where LoRAs are found by their names
   * @param naming gives changes the names of the model's components
   */
  RequestLoras(Optional<Path> folder, UnaryOperator<LoraSet> naming) {
    this.folder = folder;
    this.naming = naming;
  }

  /** The changes of LoRAs; those that are not at their path are looked for in the folder. */
  LoraSet read(List<Lora> loras) {
    List<Lora> found = new ArrayList<>();
    for (Lora lora : loras) {
      found.add(new Lora(place(lora.file()), lora.scale(), lora.textEncoderScale()));
    }
    try {
      return naming.apply(files.read(found));
    } catch (IOException e) {
      throw new UncheckedIOException("a LoRA cannot be read", e);
    }
  }

  private Path place(Path file) {
    Optional<Path> inFolder = folder.map(at -> at.resolve(file.toString()));
    return Files.exists(file) ? file : inFolder.filter(Files::exists).orElse(file);
  }

  /** A request whose prompts in the web UI's language name LoRAs, with these in their place. */
  GenerationRequest tagged(GenerationRequest request) {
    if (request.text().prompt().syntax() != PromptSyntax.WEB_UI) {
      if (request.prompts().stream().anyMatch(prompt -> prompt.contains("<lora:"))) {
        LOG.log(
            System.Logger.Level.WARNING,
            "<lora:…> is read as plain text: it names a LoRA in prompts of the web UI's language only");
      }
      return request;
    }
    List<LoraPrompt> prompts = request.prompts().stream().map(LoraPrompt::parse).toList();
    List<LoraTag> tags = prompts.get(0).tags();
    if (prompts.stream().anyMatch(prompt -> !prompt.tags().equals(tags))) {
      throw new IllegalArgumentException(
          "all prompts of one request must name the same LoRAs, got "
              + prompts.stream().map(LoraPrompt::tags).toList());
    }
    if (tags.isEmpty()) {
      return request;
    }
    List<Lora> loras = new ArrayList<>(request.loras());
    for (LoraTag tag : tags) {
      loras.add(new Lora(named(tag.name()), tag.scale(), tag.textEncoderScale()));
    }
    return GenerationRequest.prompts(prompts.stream().map(LoraPrompt::text).toList())
        .like(request)
        .negativePrompt(request.negativePrompts().toArray(String[]::new))
        .imagesPerPrompt(request.imagesPerPrompt())
        .seed(request.seeds().stream().mapToLong(Long::longValue).toArray())
        .loras(loras.toArray(Lora[]::new))
        .build();
  }

  private Path named(String name) {
    Path root =
        folder.orElseThrow(
            () ->
                new IllegalArgumentException(
                    "the prompt names the LoRA "
                        + name
                        + ", but the model was opened without a folder of LoRAs"));
    try {
      Path file = root.resolve(name + ENDING).normalize();
      if (file.startsWith(root.normalize()) && Files.isRegularFile(file)) {
        return file;
      }
    } catch (InvalidPathException e) {
      // no file can have this name
    }
    throw new IllegalArgumentException(
        "the prompt names the LoRA %s, but there is no %s in %s"
            .formatted(name, name + ENDING, root));
  }
}
