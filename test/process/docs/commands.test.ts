/** Every command of the documentation does what the page says. */
import { testCommands } from './documented-commands.ts';

testCommands();
