using EgpuFleet.Kernels.Formats.Adapters;

namespace EgpuFleet.Kernels.Training;

/// <summary>Matrices of a block that an adapter may be put beside, by GGUF name and as PEFT and mlx-lm call them.</summary>
public static class AdapterTargets
{
    /// <summary>GGUF name and the module's path within a Hugging Face layer, in the order of a block.</summary>
    public static readonly IReadOnlyList<(string Gguf, string Module)> All = AdapterModules.All;

    /// <summary>All of them: what adapters learn best with.</summary>
    public static readonly IReadOnlyList<string> Usual = [.. All.Select(one => one.Gguf)];
}
