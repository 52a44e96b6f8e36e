namespace EgpuFleet.Kernels;

/// <summary>Every bound of the engines, of the worker protocol and of the drivers, each with its reason.</summary>
public static class Limits
{
    /// <summary>
    /// A header holds parameters and figures, never a prompt: the names of all that an adapter of 126 layers trains are 130 KB.
    /// </summary>
    public const int HeaderBytes = 256 * 1024;

    /// <summary>A prompt as JSON: a million tokens of English text are about half of it.</summary>
    public const int BodyBytes = 8 * 1024 * 1024;

    /// <summary>Deepest JSON of any message; the messages themselves need four levels.</summary>
    public const int JsonDepth = 16;

    /// <summary>Shortest <c>sun_path</c> of the supported systems (macOS: 104 bytes with the final zero).</summary>
    public const int SocketPathBytes = 103;

    /// <summary>An agent, one that replaces it, and a person with a debugger; more is a mistake.</summary>
    public const int Connections = 8;

    /// <summary>A connection that has not said hello by then is closed.</summary>
    public static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long a worker keeps its models for an agent that went away.</summary>
    public static readonly TimeSpan KeepFor = TimeSpan.FromSeconds(30);

    /// <summary>How long an ending worker waits for running native calls before the process ends anyway.</summary>
    public static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Token frames a client allows before it has read any: a second of fast decoding, a few ten kilobytes.</summary>
    public const int CreditTokens = 256;

    /// <summary>Tokens a slow reader may lag behind its slot before the slot pauses.</summary>
    public const int OutputTokens = 64;

    /// <summary>Generates waiting for a slot of one model; the scheduler queues far earlier.</summary>
    public const int WaitingRequests = 1024;

    /// <summary>Requests in work on one connection; past the waiting ones of a model a client is out of its mind.</summary>
    public const int RunningRequests = 2048;

    /// <summary>Loaded models of one worker; memory is the real bound.</summary>
    public const int Models = 16;

    /// <summary>Longest search for faster kernels: a device is not away for longer.</summary>
    public const double TuneSeconds = 3600;

    /// <summary>Positions of a training row: the longest context of the models trained here.</summary>
    public const int TrainRowTokens = 128 * 1024;

    /// <summary>Rows of one pass; memory is the real bound.</summary>
    public const int TrainRows = 4096;

    /// <summary>Rank of an adapter: PEFT's examples end at 256.</summary>
    public const int TrainRank = 512;

    /// <summary>Tokens that end a continuation: a model has a few.</summary>
    public const int TrainStops = 64;

    /// <summary>Calls of one training session that run or wait: an agent makes one, the one after it another.</summary>
    public const int TrainCalls = 4;

    /// <summary>Sequences decoded at once; beyond it a CPU gains nothing.</summary>
    public const int Slots = 64;

    /// <summary>Processor threads of one model; ggml's own bound is 512.</summary>
    public const int Threads = 512;

    /// <summary>Most that any client library sends is four.</summary>
    public const int StopStrings = 16;

    /// <summary>Held-back text is as long as the longest stop string.</summary>
    public const int StopStringCharacters = 256;

    /// <summary>As in the OpenAI API; the header of a token's frame holds them.</summary>
    public const int TopLogProbs = 20;

    /// <summary>Tokens of one request whose logits are biased; more than any client library sends.</summary>
    public const int LogitBiases = 1024;

    /// <summary>What is made of the largest schemas; an engine holds a multiple of it, for each sequence.</summary>
    public const int GrammarCharacters = 512 * 1024;

    /// <summary>Messages of one chat; the context bounds their text.</summary>
    public const int ChatMessages = 4096;

    /// <summary>Depth of the JSON of tools and of the arguments of their calls.</summary>
    public const int ToolJsonDepth = 64;

    /// <summary>Tokens of a text of which a vector is made, and of all texts in one call.</summary>
    public const int EmbeddingTokens = 2048;

    /// <summary>Texts that wait for their vectors.</summary>
    public const int EmbeddingQueue = 8192;

    /// <summary>Control tokens that one text may show.</summary>
    public const int ShownTokens = 16;

    /// <summary>Lanes of noops of one connection: the agent's 64 slots, and as many that were given up and are not gone yet.</summary>
    public const int NoopLanes = 128;

    /// <summary>Payload bytes of noops that wait in a worker: 64 shards of 4 MiB each.</summary>
    public const long NoopQueuedBytes = 256L << 20;

    /// <summary>A frame of noops or of answers is closed beyond this size, so that one of the others never waits long.</summary>
    public const int NoopFrameBytes = 256 * 1024;

    /// <summary>One noop's payload: what fits into a frame behind one that is nearly full.</summary>
    public const int NoopPayloadBytes = BodyBytes - NoopFrameBytes - 1024;

    /// <summary>Output of one system tool: <c>system_profiler</c> of a full chassis is about 200 KB, <c>ioreg</c> a megabyte.</summary>
    public const int CommandOutputBytes = 4 * 1024 * 1024;

    /// <summary>A tool that only reads the system's tables answers within a second; a cold disk takes some.</summary>
    public static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Importing numpy takes a tenth of a second, on a cold disk a few.</summary>
    public static readonly TimeSpan PythonProbeTimeout = TimeSpan.FromSeconds(20);

    /// <summary><c>system_profiler</c> waits for its helpers; slow Macs take twenty seconds.</summary>
    public static readonly TimeSpan ProfilerTimeout = TimeSpan.FromSeconds(45);

    /// <summary>A file of sysfs is one page.</summary>
    public const int SystemFileBytes = 4096;

    /// <summary>Beginning of a panic report, which says what panicked.</summary>
    public const int PanicReportBytes = 64 * 1024;

    /// <summary>Panic reports looked at, newest first.</summary>
    public const int PanicReports = 4;

    /// <summary>A panic older than that says nothing about this setup.</summary>
    public static readonly TimeSpan PanicAge = TimeSpan.FromDays(7);

    /// <summary>Names read from one folder: a server has a few hundred PCI devices.</summary>
    public const int FolderEntries = 4096;

    /// <summary>GPUs of one machine that are looked at.</summary>
    public const int Gpus = 64;

    /// <summary>Deepest nesting of a system report; Thunderbolt chains are six devices.</summary>
    public const int ReportDepth = 48;

    /// <summary>Items of one system report: a chassis has some dozens.</summary>
    public const int ReportItems = 4096;

    /// <summary>A text to be classified: beyond it its beginning and its end are read.</summary>
    public const int FailureTextCharacters = 512 * 1024;

    /// <summary>Foreign text shown to people.</summary>
    public const int SeenCharacters = 400;

    /// <summary>One expression on one text; they are linear, so that only a stalled machine gets there.</summary>
    public const int FailureExpressionMilliseconds = 500;
}
