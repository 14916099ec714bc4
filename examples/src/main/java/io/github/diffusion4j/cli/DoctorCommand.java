package io.github.diffusion4j.cli;

import io.github.diffusion4j.onnx.Doctor;
import picocli.CommandLine.Command;

/** Says what this machine can compute models on. */
@Command(
    name = "doctor",
    description = {
      "Show what this machine can compute models on: system, Java, memory, ONNX Runtime, GPU and"
          + " providers, and why CUDA is taken or not."
    })
final class DoctorCommand implements Runnable {

  private final Session session;

  DoctorCommand(Session session) {
    this.session = session;
  }

  @Override
  public void run() {
    session.out().print(Doctor.examine().toText());
    session.out().flush();
  }
}
