namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>Matrices of a block that an adapter may be put beside.</summary>
public static class AdapterModules
{
    /// <summary>GGUF name and the module's path within a Hugging Face layer, in the order of a block.</summary>
    public static readonly IReadOnlyList<(string Gguf, string Module)> All =
    [
        ("attn_q", "self_attn.q_proj"),
        ("attn_k", "self_attn.k_proj"),
        ("attn_v", "self_attn.v_proj"),
        ("attn_output", "self_attn.o_proj"),
        ("ffn_gate", "mlp.gate_proj"),
        ("ffn_up", "mlp.up_proj"),
        ("ffn_down", "mlp.down_proj"),
    ];

    /// <summary>Path within a Hugging Face layer of the matrix of this GGUF name.</summary>
    internal static string Of(string target) => All.First(one => one.Gguf == target).Module;
}
