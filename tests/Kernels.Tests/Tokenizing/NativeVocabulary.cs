using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;
using EgpuFleet.Kernels.LlamaCpp.Native;
using EgpuFleet.Kernels.LlamaCpp.Text;

namespace EgpuFleet.Kernels.Tests.Tokenizing;

/// <summary>One file read by llama.cpp and by us.</summary>
internal sealed class NativeVocabulary : IDisposable
{
    private readonly LlamaModelHandle model;

    public NativeVocabulary(string path)
    {
        LlamaLibrary.Open(Ggml.DeviceCpu);
        var parameters = Llama.ModelDefaultParams();
        parameters.GpuLayers = 0;
        parameters.VocabOnly = 1;
        model = new LlamaModelHandle(Llama.ModelLoadFromFile(path, parameters));
        Assert.False(model.IsInvalid, LlamaLog.TakeErrors());
        Native = new Vocabulary(model);
        using var file = File.OpenRead(path);
        Ours = GgufTokenizer.From(GgufReader.Open(file));
    }

    public Vocabulary Native { get; }

    public GgufTokenizer Ours { get; }

    public void Dispose() => model.Dispose();

    public void AssertSameIds(string text)
    {
        Assert.Equal(Native.Tokenize(text, parseSpecial: false), Ours.Encode(text, parseSpecial: false));
        Assert.Equal(Native.Tokenize(text, parseSpecial: true), Ours.Encode(text, parseSpecial: true));
    }

    public void AssertSameTokens()
    {
        Assert.Equal(Native.Size, Ours.Size);
        Assert.Equal(Native.Bos, Ours.Bos ?? Llama.NoToken);
        for (var token = 0; token < Ours.Size; token++)
        {
            Assert.Equal(Native.EndsText(token), Ours.EndsText(token));
            foreach (var beginsText in (bool[])[false, true])
            {
                var native = Native.Piece(token, beginsText);
                // llama.cpp's complaint of a character that stands for no byte; we give the character itself.
                if (native.AsSpan().IndexOf("[UNK_BYTE_0x"u8) < 0)
                    Assert.Equal(native, Ours.Piece(token, beginsText));
            }
        }
    }
}
