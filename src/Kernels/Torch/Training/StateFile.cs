using System.Globalization;
using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.Kernels.Training;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>States and gradients as files of safetensors; see the remarks of <see cref="ITrainingSession"/>.</summary>
internal static class StateFile
{
    private const int PieceFloats = 1 << 20;

    public static TrainSaved Save(string path, AdamW optimizer, TrainSpec spec, bool weightsOnly)
    {
        var writer = new SafetensorsWriter();
        StateHead.Write(writer, spec, optimizer.Step);
        foreach (var slot in optimizer.Slots)
            Add(writer, slot.Name, slot.Value);
        foreach (var slot in weightsOnly ? [] : optimizer.Slots)
        {
            Add(writer, StateNames.FirstMoment + slot.Name, slot.First);
            Add(writer, StateNames.SecondMoment + slot.Name, slot.Second);
        }
        writer.WriteTo(path);
        return new TrainSaved(new FileInfo(path).Length, optimizer.Step);
    }

    /// <summary>Takes a state, after all of it was looked at.</summary>
    public static void Restore(string path, AdamW optimizer, TrainSpec spec, CancellationToken cancellationToken)
    {
        using var file = Open(path);
        if (StateHead.Fault(file, spec) is { } fault)
            throw Invalid(fault);
        var targets = optimizer.Slots.Select(slot => (slot.Name, slot.Value)).ToList();
        if (file.Tensors.Any(tensor => StateNames.IsMoment(tensor.Name)))
        {
            targets.AddRange(optimizer.Slots.Select(slot => (StateNames.FirstMoment + slot.Name, slot.First)));
            targets.AddRange(optimizer.Slots.Select(slot => (StateNames.SecondMoment + slot.Name, slot.Second)));
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

    private static long? StepOf(SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue(StateNames.StepKey, out var text))
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
