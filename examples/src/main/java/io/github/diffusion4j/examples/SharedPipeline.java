package io.github.diffusion4j.examples;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.pipeline.StableDiffusionPipeline;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Several threads paint on one pipeline at the same time: the networks are in memory once. Run it
 * without arguments; expect {@code fruit-0.png} to {@code fruit-3.png} in the current folder, the
 * same pictures as painted one after the other.
 */
public final class SharedPipeline {

  private static final List<String> PROMPTS =
      List.of("a red apple", "a banana", "a bunch of grapes", "a watermelon");

  private SharedPipeline() {}

  /** Paints four prompts on two threads. */
  public static void main(String... args) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try (var pipeline = StableDiffusionPipeline.load(ShippedModel.path())) {
      List<Future<List<Path>>> painted = new ArrayList<>();
      for (int i = 0; i < PROMPTS.size(); i++) {
        var request = GenerationRequest.prompt(PROMPTS.get(i)).seed(i).build();
        Path file = Path.of("fruit-" + i + ".png");
        painted.add(threads.submit(() -> pipeline.generate(request).save(file)));
      }
      for (Future<List<Path>> picture : painted) {
        System.out.println(picture.get());
      }
    } finally {
      threads.shutdown();
    }
  }
}
