namespace EgpuFleet.Kernels.Training;

/// <summary>Matrices of a block that an adapter may be put beside, by GGUF name and as PEFT and mlx-lm call them.</summary>
public static class AdapterTargets
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

    /// <summary>All of them: what adapters learn best with.</summary>
    public static readonly IReadOnlyList<string> Usual = [.. All.Select(one => one.Gguf)];
}
