using System.Globalization;
using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Training;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>States and gradients as files of safetensors; see the remarks of <see cref="ITrainingSession"/>.</summary>
internal static class StateFile
{
    private const string Format = "egpufleet-train-1";
    private const string First = "adam.m.";
    private const string Second = "adam.v.";
    private const int PieceFloats = 1 << 20;

    public static TrainSaved Save(string path, AdamW optimizer, TrainSpec spec, bool weightsOnly)
    {
        var writer = new SafetensorsWriter();
        writer.AddMetadata("format", Format);
        writer.AddMetadata("step", optimizer.Step.ToString(CultureInfo.InvariantCulture));
        writer.AddMetadata("base_sha256", spec.ContentHash);
        writer.AddMetadata("method", Method(spec));
        foreach (var slot in optimizer.Slots)
            Add(writer, slot.Name, slot.Value);
        foreach (var slot in weightsOnly ? [] : optimizer.Slots)
        {
            Add(writer, First + slot.Name, slot.First);
            Add(writer, Second + slot.Name, slot.Second);
        }
        writer.WriteTo(path);
        return new TrainSaved(new FileInfo(path).Length, optimizer.Step);
    }

    /// <summary>Takes a state, after all of it was looked at.</summary>
    public static void Restore(string path, AdamW optimizer, TrainSpec spec, CancellationToken cancellationToken)
    {
        using var file = Open(path);
        RequireMeta(file, "format", Format);
        RequireMeta(file, "base_sha256", spec.ContentHash);
        RequireMeta(file, "method", Method(spec));
        var targets = optimizer.Slots.Select(slot => (slot.Name, slot.Value)).ToList();
        if (file.Tensors.Any(tensor => tensor.Name.StartsWith("adam.", StringComparison.Ordinal)))
        {
            targets.AddRange(optimizer.Slots.Select(slot => (First + slot.Name, slot.First)));
            targets.AddRange(optimizer.Slots.Select(slot => (Second + slot.Name, slot.Second)));
        }
        var step = StepOf(file) ?? optimizer.Step;
        RequireExactly(file, targets);
        foreach (var (name, _) in targets)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ForPieces(file, name, (_, piece) => RequireNumbers(name, piece));
        }
        foreach (var (name, target) in targets)
            ForPieces(file, name, (offset, piece) => Copy(piece, target, offset));
        optimizer.Step = step;
    }

    public static void SaveGradients(string path, AdamW optimizer)
    {
        var writer = new SafetensorsWriter();
        foreach (var slot in optimizer.Slots)
            Add(writer, slot.Name, slot.Gradient);
        writer.WriteTo(path);
    }

    /// <summary>Takes summed gradients; that they are numbers shows in their norm.</summary>
    public static void RestoreGradients(string path, AdamW optimizer)
    {
        using var file = Open(path);
        RequireExactly(file, [.. optimizer.Slots.Select(slot => (slot.Name, slot.Value))]);
        foreach (var slot in optimizer.Slots)
        {
            using var scope = NewDisposeScope();
            slot.Value.grad = zeros(slot.Value.shape, ScalarType.Float32);
            ForPieces(file, slot.Name, (offset, piece) => Copy(piece, slot.Gradient, offset));
        }
    }

    private static string Method(TrainSpec spec) => spec.Method == TrainMethod.Lora ? "lora" : "full";

    private static SafetensorsFile Open(string path)
    {
        try
        {
            return SafetensorsFile.Open(path);
        }
        catch (SafetensorsException exception)
        {
            throw Invalid(exception.Message);
        }
    }

    private static void Add(SafetensorsWriter writer, string name, Tensor tensor) =>
        writer.Add(
            name,
            SafetensorsType.F32,
            tensor.shape,
            stream =>
            {
                for (var piece = 0; piece < FloatPieces.CountOf(tensor); piece++)
                    stream.Write(MemoryMarshal.AsBytes(FloatPieces.Of(tensor, piece)));
            }
        );

    private static void RequireMeta(SafetensorsFile file, string key, string expected)
    {
        var actual = file.Metadata.GetValueOrDefault(key);
        if (actual != expected)
            throw Invalid($"The file's {key} is {actual ?? "not there"}; this session's is {expected}.");
    }

    private static long? StepOf(SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue("step", out var text))
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var step)
            ? step
            : throw Invalid($"The file's step {text} is no number.");
    }

    private static void RequireExactly(SafetensorsFile file, List<(string Name, Tensor Value)> targets)
    {
        foreach (var (name, value) in targets)
        {
            var tensor = file.Find(name) ?? throw Invalid($"The file has no {name}.");
            if (tensor.Type != SafetensorsType.F32 || !tensor.Shape.SequenceEqual(value.shape))
            {
                throw Invalid(
                    $"{name} is {tensor.Type.Name} [{string.Join(", ", tensor.Shape)}], "
                        + $"not F32 [{string.Join(", ", value.shape)}]."
                );
            }
        }
        if (file.Tensors.Count != targets.Count)
            throw Invalid($"The file has {file.Tensors.Count} tensors; {targets.Count} are trained or moments here.");
    }

    private static void ForPieces(SafetensorsFile file, string name, PieceReader use)
    {
        var tensor = file.Find(name)!;
        var count = tensor.Bytes / sizeof(float);
        var buffer = new float[Math.Min(PieceFloats, count)];
        for (var offset = 0L; offset < count; offset += buffer.Length)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, count - offset));
            file.Read(tensor, offset * sizeof(float), MemoryMarshal.AsBytes(piece));
            use(offset, piece);
        }
    }

    private static void RequireNumbers(string name, ReadOnlySpan<float> piece)
    {
        foreach (var value in piece)
        {
            if (!float.IsFinite(value))
                throw Invalid($"A number of {name} is {value}.");
        }
    }

    private static void Copy(ReadOnlySpan<float> piece, Tensor target, long offset) =>
        piece.CopyTo(FloatPieces.From(target, offset));

    private static EngineException Invalid(string text) => new(EngineErrorClass.InvalidRequest, text);

    private delegate void PieceReader(long offset, ReadOnlySpan<float> piece);
}
