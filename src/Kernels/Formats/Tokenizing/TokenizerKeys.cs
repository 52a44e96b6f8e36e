namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>Metadata keys of a vocabulary.</summary>
internal static class TokenizerKeys
{
    public const string Model = "tokenizer.ggml.model";
    public const string Pre = "tokenizer.ggml.pre";
    public const string Tokens = "tokenizer.ggml.tokens";
    public const string Kinds = "tokenizer.ggml.token_type";
    public const string Scores = "tokenizer.ggml.scores";
    public const string Merges = "tokenizer.ggml.merges";
    public const string AddBos = "tokenizer.ggml.add_bos_token";
    public const string AddEos = "tokenizer.ggml.add_eos_token";
    public const string AddSpacePrefix = "tokenizer.ggml.add_space_prefix";
    public const string Bos = "tokenizer.ggml.bos_token_id";
    public const string Eos = "tokenizer.ggml.eos_token_id";
    public const string Unknown = "tokenizer.ggml.unknown_token_id";
}
