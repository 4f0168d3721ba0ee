export default { base: './', build: { outDir: 'dist', chunkSizeWarningLimit: 20000, minify: false }, define: { 'process.env': {} } };
