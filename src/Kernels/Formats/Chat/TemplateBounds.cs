namespace EgpuFleet.Kernels.Formats.Chat;

/// <summary>What compiling or rendering a template may use. Real ones use a hundredth of it.</summary>
/// <param name="Statements">Statements of the interpreter's own program: the same on every machine, however fast.</param>
/// <param name="MemoryBytes">Bytes allocated in all, not at once.</param>
/// <param name="Recursion">Depth of one function of the interpreter in itself: about that of nested expressions.</param>
/// <param name="Seconds">Wall clock, where a machine is so slow that the statements do not bound it.</param>
public sealed record TemplateBounds(
    int Statements = 50_000_000,
    long MemoryBytes = 1L << 30,
    int Recursion = 100,
    int Seconds = 60
);
