namespace EgpuFleet.Silo;

/// <summary>Bounds of interactive requests.</summary>
public static partial class Limits
{
    /// <summary>Stop strings, as OpenAI has it.</summary>
    public const int StopStrings = 4;

    /// <summary>One stop string: the engine holds back as much output as it is long.</summary>
    public const int StopStringLength = 256;

    /// <summary>Tokens asked for: above any context.</summary>
    public const int MaxTokens = 1 << 20;

    /// <summary>Body of an interactive request: a full context of the largest models as text, many times over.</summary>
    public const long CompletionBodyBytes = 16L << 20;

    /// <summary>Depth of an interactive request's JSON, which may hold the schema of its answer.</summary>
    public const int CompletionJsonDepth = 64;

    /// <summary>Tokens that <c>logit_bias</c> may name, as the engines bound them.</summary>
    public const int LogitBiases = 1024;

    /// <summary>Likely tokens that a chat may be told in each place, as OpenAI has it.</summary>
    public const int ChatTopLogProbs = 20;

    /// <summary>The same of a completion.</summary>
    public const int CompletionTopLogProbs = 5;

    /// <summary>Answers to one request, as OpenAI has it.</summary>
    public const int Choices = 128;

    /// <summary>Answers to one request that are made at the same time: all of a device's slots are not for one caller.</summary>
    public const int ChoicesAtOnce = 4;

    /// <summary>Functions that a chat may offer, and calls in one of its messages, as OpenAI has it.</summary>
    public const int Tools = 128;

    /// <summary>Name of a function, as OpenAI bounds it.</summary>
    public const int ToolNameLength = 64;

    /// <summary>Texts of one request for embeddings, as OpenAI has it.</summary>
    public const int EmbeddingTexts = 2048;

    /// <summary>Name of a schema, as OpenAI bounds it.</summary>
    public const int SchemaNameLength = 64;

    /// <summary>How long an interactive request waits for a device and for its model to load.</summary>
    public static readonly TimeSpan LoadWait = TimeSpan.FromSeconds(120);

    /// <summary>How long an interactive request waits while no device is ready at all: a restarting agent is back by then.</summary>
    public static readonly TimeSpan DeviceWait = TimeSpan.FromSeconds(15);

    /// <summary>How often a waiting interactive request asks the pool again.</summary>
    public static readonly TimeSpan RouteInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Devices tried for one interactive request before it is answered with the last failure.</summary>
    public const int RouteAttempts = 3;
}
