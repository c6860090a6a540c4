import Commands

SluiceMain.start(Array(CommandLine.arguments.dropFirst()))
