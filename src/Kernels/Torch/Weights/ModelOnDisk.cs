using EgpuFleet.Kernels.Torch.Model;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Weights;

/// <summary>Opens models and brings their weights into tensors.</summary>
internal static class ModelOnDisk
{
    /// <summary>Floats read at once.</summary>
    private const int PieceFloats = 4 << 20;

    /// <param name="path">A GGUF file, or a Hugging Face folder.</param>
    /// <exception cref="Engines.EngineException"><see cref="Engines.EngineErrorClass.ModelInvalid"/>.</exception>
    public static IWeightSource Open(string path) =>
        ModelFault.Reading<IWeightSource>(() =>
            Directory.Exists(path) ? HuggingFaceWeights.Open(path) : GgufWeights.Open(path)
        );

    /// <summary>All weights in the order of the file.</summary>
    /// <param name="type">Matrices come as that; vectors have 32 bits always.</param>
    /// <exception cref="Engines.EngineException"><see cref="Engines.EngineErrorClass.ModelInvalid"/>.</exception>
    /// <exception cref="OperationCanceledException">Between two weights; nothing stays loaded.</exception>
    public static IReadOnlyList<(string Name, Tensor Value)> Load(
        IWeightSource source,
        ScalarType type,
        CancellationToken cancellationToken
    )
    {
        var loaded = new List<(string, Tensor)>();
        try
        {
            foreach (var (name, shape) in WeightTable.Of(source.Config))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var value = empty(shape, shape.Length == 1 ? ScalarType.Float32 : type).DetachFromDisposeScope();
                loaded.Add((name, value));
                _ = ModelFault.Reading(() => Fill(source, name, value));
            }
            return loaded;
        }
        catch
        {
            foreach (var (_, value) in loaded)
                value.Dispose();
            throw;
        }
    }

    private static Tensor Fill(IWeightSource source, string name, Tensor value)
    {
        using var scope = NewDisposeScope();
        var matrix = value.dim() == 1 ? value.unsqueeze(0) : value;
        var (rows, columns) = (matrix.shape[0], matrix.shape[1]);
        var rowsAtOnce = Math.Clamp(PieceFloats / columns, 1, rows);
        var buffer = new float[rowsAtOnce * columns];
        for (var row = 0L; row < rows; row += rowsAtOnce)
        {
            var count = Math.Min(rowsAtOnce, rows - row);
            var piece = buffer.AsSpan(0, (int)(count * columns));
            source.Read(name, row, piece);
            using var floats = tensor(piece.ToArray(), [count, columns]);
            using var place = matrix.narrow(0, row, count);
            _ = place.copy_(floats);
        }
        return value;
    }
}
