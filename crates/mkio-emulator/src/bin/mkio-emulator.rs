//! The emulator as a program.

fn main() -> std::process::ExitCode {
    mkio_emulator::program::main()
}
