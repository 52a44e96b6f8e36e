using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>Weights of a trained adapter as the family's Hugging Face models have them.</summary>
internal static class HuggingFaceLayout
{
    /// <exception cref="AdapterException">Nothing is known of the architecture.</exception>
    public static void RequireKnown(AdapterBase model)
    {
        if (model.Architecture is not ("llama" or "qwen2" or "qwen3"))
        {
            throw new AdapterException(
                AdapterFault.Architecture,
                $"How Hugging Face models of {model.Architecture} name and order their weights is not known here."
            );
        }
        if (model.Architecture == "llama" && (model.HeadSize < 2 || model.HeadSize % 2 != 0))
            throw new AdapterException(AdapterFault.Architecture, $"A head of {model.HeadSize} rows has no halves.");
    }

    /// <summary>B [outputs, rank].</summary>
    public static float[] OutputsOf(AdapterState state, AdapterMatrix matrix)
    {
        var values = matrix.B.Values();
        return IsTurned(state.Base, matrix)
            ? AdapterFloats.HalvesOfPairs(values, state.Base.HeadSize, state.Form.Rank)
            : values;
    }

    private static bool IsTurned(AdapterBase model, AdapterMatrix matrix)
    {
        if (model.Architecture != "llama" || matrix.Target is not ("attn_q" or "attn_k"))
            return false;
        return matrix.B.Shape[0] % model.HeadSize == 0
            ? true
            : throw new AdapterException(
                AdapterFault.Architecture,
                $"{matrix.GgufName} has {matrix.B.Shape[0]} rows, no whole number of heads."
            );
    }
}
