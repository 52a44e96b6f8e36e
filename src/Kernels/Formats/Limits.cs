namespace EgpuFleet.Kernels.Formats;

/// <summary>Bounds on what a file from outside may make this project hold or walk. Each is far above real models.</summary>
public static class Limits
{
    /// <summary>Metadata pairs: published models have 20 to 80.</summary>
    public const int MetadataPairs = 4096;

    /// <summary>Tensors: the largest published mixtures of experts have about 2,500.</summary>
    public const int Tensors = 65_536;

    /// <summary>Bytes of a metadata key: the longest in use has about 60; the format's own bound is 65,535.</summary>
    public const int KeyBytes = 1024;

    /// <summary>Bytes of a tensor's name: ggml keeps 64 with the terminator.</summary>
    public const int TensorNameBytes = 63;

    /// <summary>Dimensions of a tensor: ggml's own bound.</summary>
    public const int Dimensions = 4;

    /// <summary>Bytes of one string value: chat templates reach 30 KB, licence texts 60 KB.</summary>
    public const int StringBytes = 1 << 20;

    /// <summary>Bytes of all keys, names and single strings that the reader keeps: a process-wide comfort, not a format rule.</summary>
    public const int RetainedBytes = 16 << 20;

    /// <summary>Bytes of one string in an array: the longest vocabulary entries and merges have a few hundred.</summary>
    public const int ArrayStringBytes = 64 << 10;

    /// <summary>Items of one array: the largest vocabularies have 262,144 tokens and twice as many merges.</summary>
    public const int ArrayItems = 4 << 20;

    /// <summary>Bytes from the start of the file to the tensor data: the largest vocabularies take about 20 MB.</summary>
    public const long HeaderBytes = 256L << 20;

    /// <summary>Bytes of strings one call may bring into memory from an array.</summary>
    public const int ReadArrayBytes = 64 << 20;

    /// <summary>Alignment of tensor data: files use 32; page and huge-page layouts stay below this.</summary>
    public const int AlignmentBytes = 1 << 16;

    /// <summary>Tokens of a vocabulary: the largest published have 262,144.</summary>
    public const int Tokens = 1 << 20;

    /// <summary>Merges of a vocabulary: the largest published have about 515,000.</summary>
    public const int Merges = 2 << 20;

    /// <summary>Characters of a token or merge: the longest in use are runs of 256 spaces.</summary>
    public const int TokenChars = 4096;

    /// <summary>Characters of a token that is looked for in text: the longest names have fewer than 100.</summary>
    public const int SpecialTokenChars = 512;

    /// <summary>Characters of one text to tokenise: four times what a context of a million tokens holds.</summary>
    public const int TextChars = 16 << 20;

    /// <summary>Layers: the deepest published models have about 130.</summary>
    public const int Layers = 4096;

    /// <summary>Any width of a layer (embedding, feed-forward, heads, head size): ten times the widest published.</summary>
    public const int Width = 1 << 20;

    /// <summary>Context length: ten times the longest published.</summary>
    public const int Context = 100_000_000;

    // Training data.

    /// <summary>One line of a training file: four times the text of a context of 128,000 tokens, with room for escapes.</summary>
    public const int TrainingLineBytes = 4 << 20;

    /// <summary>Samples of a training file: ten times what fine-tuning sets have; each costs memory beside its tokens.</summary>
    public const int TrainingSamples = 1_000_000;

    /// <summary>Tokens of a training file: 320 MB of ids and masks, weeks of training on one device.</summary>
    public const int TrainingTokens = 64 << 20;

    /// <summary>Messages of one conversation: above any that fits a context.</summary>
    public const int TrainingMessages = 4096;

    /// <summary>Trained answers of one conversation: each costs two renderings of what comes before it.</summary>
    public const int TrainedAnswers = 128;

    /// <summary>Samples of a training file that its owner is shown as the model sees them.</summary>
    public const int PreviewSamples = 3;

    /// <summary>Tokens of such a sample that are shown: a page.</summary>
    public const int PreviewTokens = 1000;

    /// <summary>Errors, and warnings, of a training file that are named one by one: a screenful.</summary>
    public const int TrainingFindings = 50;

    /// <summary>Errors after which a training file is read no further: the rest would be as wrong.</summary>
    public const int TrainingErrorsRead = 1000;

    /// <summary>Keys of a training file that are remembered as warned of.</summary>
    public const int TrainingKeysNamed = 32;

    /// <summary>Characters of outside text that a message quotes.</summary>
    public const int QuotedChars = 64;

    /// <summary>Depth of a line's JSON: known shapes have three levels.</summary>
    public const int TrainingJsonDepth = 16;

    /// <summary>Fewest samples of a microshard unless told otherwise: a lease's cost is small beside their training.</summary>
    public const int MicroshardSamples = 64;

    /// <summary>Bytes of a safetensors header or index: those of the largest published models have about 10 MB; the format's own bound is 100.</summary>
    public const int SafetensorsHeaderBytes = 32 << 20;

    /// <summary>Bytes of a tensor's name in safetensors: the longest in use have about 120.</summary>
    public const int SafetensorsNameBytes = 512;

    /// <summary>Dimensions of a tensor in safetensors: convolutions have five.</summary>
    public const int SafetensorsDimensions = 8;

    /// <summary>Files that hold one model's weights: the largest published have about 200; each is an open file.</summary>
    public const int SafetensorsShards = 1024;

    /// <summary>Rank of an adapter: four times the highest in use.</summary>
    public const int AdapterRank = 1024;

    /// <summary>Name of a function that a model calls: OpenAI allows 64.</summary>
    public const int ToolNameChars = 256;

    // Chat templates.

    /// <summary>Characters of a chat template: the longest published have about 30,000.</summary>
    public const int ChatTemplateChars = 128 << 10;

    /// <summary>Characters of a rendered conversation, as of any <see cref="TextChars">text to tokenise</see>.</summary>
    public const int RenderedChars = TextChars;

    /// <summary>Characters of a template's own complaint that are passed on: a sentence or two.</summary>
    public const int TemplateMessageChars = 500;

    // JSON Schemas and their grammars.

    /// <summary>Characters of a schema: ten times the longest that tools send.</summary>
    public const int SchemaChars = 256 << 10;

    /// <summary>Depth of a schema's JSON, and of references followed into one another.</summary>
    public const int SchemaDepth = 64;

    /// <summary>Schemas joined to one another: each is a copy.</summary>
    public const int SchemaMerges = 256;

    /// <summary>Alternatives that are compared with one another, each with each.</summary>
    public const int SchemaWays = 256;

    /// <summary>Characters of a property's name where others are free: a level of the grammar each.</summary>
    public const int SchemaNameChars = 128;

    /// <summary>Characters of a regular expression.</summary>
    public const int SchemaPatternChars = 4096;

    /// <summary>Times that something is counted: engines unroll them.</summary>
    public const int SchemaRepetitions = 16_384;

    /// <summary>Rules of a grammar: the largest schemas of tools make some hundred.</summary>
    public const int GrammarRules = 4096;

    /// <summary>Characters of a grammar: engines hold a multiple of it, for each sequence.</summary>
    public const int GrammarChars = 512 << 10;
}
