using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>A model all of whose weights were trained, as a GGUF file: the base's metadata with the weights of the state.</summary>
public static class RetrainedModel
{
    private const string FileTypeKey = "general.file_type";

    /// <summary>Says how a quantised base's numbers are packed, which these are not.</summary>
    private const string QuantisationKey = "general.quantization_version";

    /// <summary>What such tensors start with: factors of rotary angles, which are settings and no weights.</summary>
    private const string Settings = "rope_";

    private const float MostF16 = 65_504;

    /// <summary>
    /// Describes the file; the same state always gives the same bytes. Reads the whole state once. Base and state stay the
    /// caller's, and are needed until the file is written.
    /// </summary>
    /// <param name="model">The base.</param>
    /// <param name="sha256">Of the base's file.</param>
    /// <param name="half">Matrices as F16; vectors are F32 always, as converters write them.</param>
    /// <exception cref="AdapterException">It is not the state of that model.</exception>
    public static GgufWriter Describe(GgufReader model, string sha256, SafetensorsFile state, bool half)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(state);
        TrainedState.RequireBase(state, sha256);
        TrainedState.RequireNothingElse(
            state,
            model.Tensors.Select(tensor => tensor.Name).ToHashSet(StringComparer.Ordinal)
        );
        var writer = new GgufWriter();
        writer.AddFrom(model, FileTypeKey, QuantisationKey);
        // In llama.cpp's numbers: all F32, or mostly F16.
        writer.Add(FileTypeKey, half ? 1u : 0u);
        foreach (var tensor in model.Tensors)
        {
            if (tensor.Name.StartsWith(Settings, StringComparison.Ordinal) && state.Find(tensor.Name) is null)
                writer.AddTensor(
                    tensor.Name,
                    tensor.Type,
                    [.. tensor.Dimensions],
                    stream => Copy(model, tensor, stream)
                );
            else
                AddTrained(writer, tensor, state, half && tensor.Dimensions.Count > 1);
        }
        return writer;
    }

    private static void AddTrained(GgufWriter writer, GgufTensor tensor, SafetensorsFile state, bool half)
    {
        var trained = TrainedState.Require(state, tensor.Name, [.. tensor.Dimensions.Reverse()]);
        TrainedState.RequireNumbers(state, trained, half ? MostF16 : float.MaxValue);
        writer.AddTensor(
            tensor.Name,
            half ? GgufTensorType.F16 : GgufTensorType.F32,
            [.. tensor.Dimensions],
            half ? stream => WriteHalves(state, trained, stream) : AdapterFloats.AsIs(state, trained)
        );
    }

    private static void WriteHalves(SafetensorsFile state, SafetensorsTensor tensor, Stream stream) =>
        TrainedState.ForPieces(
            state,
            tensor,
            piece =>
            {
                var halves = new Half[piece.Length];
                for (var i = 0; i < piece.Length; i++)
                    halves[i] = (Half)piece[i];
                stream.Write(MemoryMarshal.AsBytes(halves.AsSpan()));
            }
        );

    private static void Copy(GgufReader model, GgufTensor tensor, Stream stream)
    {
        var buffer = new byte[Math.Min(tensor.Bytes, Limits.StringBytes)];
        for (var offset = 0L; offset < tensor.Bytes; offset += buffer.Length)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, tensor.Bytes - offset));
            model.ReadTensor(tensor, offset, piece);
            stream.Write(piece);
        }
    }
}
