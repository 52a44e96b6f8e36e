using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>The floats of a tensor where they lie, in pieces that a span can hold.</summary>
internal static class FloatPieces
{
    private const long PieceFloats = 64 << 20;

    /// <summary>How many pieces a tensor has.</summary>
    public static int CountOf(Tensor tensor) => (int)((tensor.numel() + PieceFloats - 1) / PieceFloats);

    /// <summary>One piece; valid while the tensor is. The tensor is contiguous and of 32-bit floats.</summary>
    public static Span<float> Of(Tensor tensor, int piece) => From(tensor, piece * PieceFloats);

    /// <summary>The items from one on, as many as there are or a piece holds.</summary>
    public static Span<float> From(Tensor tensor, long item)
    {
        using var apart = tensor.detach();
        using var line = apart.view(-1);
        using var part = line.narrow(0, item, Math.Min(PieceFloats, tensor.numel() - item));
        return MemoryMarshal.Cast<byte, float>(part.bytes);
    }
}
